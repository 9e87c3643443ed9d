//! The failure of a rank, which ends the run of all.

use super::StrategyError;
use crate::native::{NativeError, Store};
use crate::signal::Signal;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The first failure of a rank in a run. The store keeps it for the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) rank: usize,
    pub(super) host: String,
    pub(super) cause: String,
    /// The number of the signal that ended the run on that rank.
    pub(super) signal: Option<i32>,
}

fn key(prefix: &str) -> String {
    format!("{prefix}failure")
}

impl Failure {
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
        Self::Peer { rank, host, cause, signal: signal.and_then(Signal::of_number) }
    }
}
