//! Which process has a rank, so that another one that was started with the same rank by mistake changes nothing.

use crate::native::Store;
use crate::strategy::introduction::this_host;
use crate::strategy::{Rank, StrategyError};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The process that has a rank.
#[derive(PartialEq, Serialize, Deserialize)]
struct Claim {
    host: String,
    process: u32,
    /// A random number, as processes in containers may have the same host name and number.
    token: u64,
}

/// Takes the rank for this process, unless another process has it.
pub(super) fn take(store: &Store, prefix: &str, rank: Rank) -> Result<(), StrategyError> {
    let key = format!("{prefix}claim/{}", rank.global);
    let own = Claim { host: this_host(), process: std::process::id(), token: RandomState::new().hash_one(0) };
    store.set_first(&key, &serde_json::to_vec(&own)?)?;
    let Some(taken) = store.get(&key, Duration::ZERO)? else { return Ok(()) };
    let first: Claim = serde_json::from_slice(&taken)?;
    if first == own {
        return Ok(());
    }
    Err(StrategyError::Twice { rank: rank.global, host: first.host, process: first.process })
}
