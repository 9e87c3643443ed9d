//! What the ranks know of one another when an operation fails: reports of failures, and heartbeats.

use super::StrategyError;
use crate::native::Store;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The failure of a rank, which ends the run of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) rank: usize,
    pub(super) host: String,
    pub(super) cause: String,
}

/// The key of the first failure.
fn failure(prefix: &str) -> String {
    format!("{prefix}failure")
}

/// The time for a question to the store, whose process may have ended.
const ANSWER: Duration = Duration::from_millis(500);

impl Failure {
    /// Reports the failure, unless another rank has reported one before.
    pub(super) fn report(&self, store: &Store, prefix: &str) {
        // a store that is gone has nobody to tell
        if let (Ok(None), Ok(report)) =
            (store.get(&failure(prefix), Duration::from_millis(1)), serde_json::to_vec(self))
        {
            let _ = store.set(&failure(prefix), &report);
        }
    }

    /// Returns the reported failure, if it is that of another rank.
    pub(super) fn of_another(store: &Store, prefix: &str, own: usize) -> Option<Self> {
        let report = store.get(&failure(prefix), ANSWER).ok()??;
        serde_json::from_slice(&report).ok().filter(|failure: &Self| failure.rank != own)
    }
}

impl From<Failure> for StrategyError {
    fn from(Failure { rank, host, cause }: Failure) -> Self {
        Self::Peer { rank, host, cause }
    }
}

/// Shows the other ranks that this process lives and runs, even while it computes, until it is dropped.
pub(super) struct Heartbeat {
    has_ended: Arc<AtomicBool>,
}

/// The time between two heartbeats.
const BEAT: Duration = Duration::from_millis(500);

/// A rank without a heartbeat for this time does not run.
const SILENCE: Duration = Duration::from_millis(2_500);

impl Heartbeat {
    pub(super) fn start(prefix: &str, rank: usize, store: Store) -> Self {
        let key = key(prefix, rank);
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        thread::spawn(move || {
            for beat in 0_u64.. {
                if ended.load(Ordering::Relaxed) || store.set(&key, &beat.to_le_bytes()).is_err() {
                    break;
                }
                thread::sleep(BEAT);
            }
        });
        Self { has_ended }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }
}

/// Returns those of the ranks that do not run: their heartbeats do not change. Rank 0 keeps them, unless the launcher does.
pub(super) fn without_heartbeat(store: &Store, prefix: &str, ranks: impl Iterator<Item = usize>) -> Vec<usize> {
    let beat = |rank: usize| store.get(&key(prefix, rank), ANSWER).ok().flatten();
    let begun = Instant::now();
    let mut silent: Vec<(usize, Option<Vec<u8>>)> = ranks.map(|rank| (rank, beat(rank))).collect();
    while !silent.is_empty() && begun.elapsed() < SILENCE {
        thread::sleep(BEAT / 2);
        silent.retain(|(rank, before)| match beat(*rank) {
            None => true,
            now => now == *before,
        });
    }
    silent.into_iter().map(|(rank, _)| rank).collect()
}

fn key(prefix: &str, rank: usize) -> String {
    format!("{prefix}heartbeat/{rank}")
}
