//! The failure of a rank, which ends the run of all.

use super::StrategyError;
use super::disagreement::Disagreement;
use crate::native::{NativeError, Store};
use crate::signal::Signal;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The first failure of a rank in a run. The store keeps it for the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) rank: usize,
    pub(super) host: String,
    pub(super) cause: Cause,
    /// The number of the signal that ended the run on that rank.
    pub(super) signal: Option<i32>,
}

/// Why a run fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Cause {
    /// The error of the rank.
    Error(String),
    /// The ranks do not call the same operations, which is an error of none of them.
    Disagreement(String),
}

fn key(prefix: &str) -> String {
    format!("{prefix}failure")
}

impl Failure {
    pub(super) fn new(rank: usize, host: String, error: impl Into<String>) -> Self {
        Self { rank, host, cause: Cause::Error(error.into()), signal: None }
    }

    /// Returns the failure of all ranks that one has found.
    pub(super) fn of_disagreement(rank: usize, host: String, disagreement: Disagreement) -> Self {
        Self { rank, host, cause: Cause::Disagreement(disagreement.into_text()), signal: None }
    }

    /// Reports the failure, unless another rank has reported one before. Returns the one that was reported.
    pub(super) fn report(self, store: &Store, prefix: &str) -> Result<Self, NativeError> {
        if let Ok(report) = serde_json::to_vec(&self) {
            store.set_first(&key(prefix), &report)?;
        }
        Ok(Self::reported(store, prefix)?.unwrap_or(self))
    }

    /// Returns the reported failure.
    pub(super) fn reported(store: &Store, prefix: &str) -> Result<Option<Self>, NativeError> {
        let report = store.get(&key(prefix), Duration::ZERO)?;
        Ok(report.and_then(|report| serde_json::from_slice(&report).ok()))
    }
}

impl From<Failure> for StrategyError {
    fn from(Failure { rank, host, cause, signal }: Failure) -> Self {
        match cause {
            Cause::Error(cause) => Self::Peer { rank, host, cause, signal: signal.and_then(Signal::of_number) },
            Cause::Disagreement(text) => Self::Disagreement(text),
        }
    }
}
