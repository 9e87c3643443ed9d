//! Comparisons of what all ranks must have in common after the start, so that their replicas stay equal.

use super::introduction::differing;
use super::{Operation, Strategy, StrategyError};
use crate::counted::counted;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// A rank whose value differs from that of rank 0.
pub(crate) struct Difference {
    pub(super) rank: usize,
    pub(super) host: String,
    /// The value of rank 0.
    pub(super) here: Value,
    pub(super) there: Value,
}

/// The checkpoint that a rank starts from.
#[derive(Serialize, Deserialize)]
pub(crate) struct StartingPoint {
    pub(crate) path: PathBuf,
    pub(crate) epoch: usize,
    pub(crate) global_step: usize,
    pub(crate) checksum: Option<String>,
}

impl StartingPoint {
    fn in_words(&self) -> String {
        let Self { path, epoch, global_step, checksum } = self;
        let checksum = checksum.as_ref().map_or_else(String::new, |checksum| format!(", checksum {checksum}"));
        format!("{} (epoch {epoch}, step {global_step}{checksum})", path.display())
    }
}

/// Fails unless all ranks start from the same checkpoint, or all without one.
pub(crate) fn check_starting_points(strategy: &dyn Strategy, own: Option<&StartingPoint>) -> Result<(), StrategyError> {
    // the same file may have other paths on other machines
    let contents = own.map(|StartingPoint { epoch, global_step, checksum, .. }| (epoch, global_step, checksum));
    let described = own.map(StartingPoint::in_words);
    let Some(Difference { rank, host, here, there }) = strategy.difference(
        Operation::StartingPoint,
        serde_json::to_value(contents)?,
        serde_json::to_value(described)?,
    )?
    else {
        return Ok(());
    };
    let from = |value: Value| value.as_str().map_or_else(|| "no checkpoint".to_owned(), str::to_owned);
    Err(StrategyError::StartingPoint { rank, host, here: from(here), there: from(there) })
}

/// Fails unless all ranks have the same optimizers and schedulers.
pub(crate) fn check_optimizers(strategy: &dyn Strategy, own: Value) -> Result<(), StrategyError> {
    let Some(Difference { rank, host, here, there }) = strategy.difference(Operation::Optimizers, own.clone(), own)?
    else {
        return Ok(());
    };
    let (setting, here, there) = differing(String::new(), &here, &there).unwrap_or_default();
    Err(StrategyError::Optimizers { rank, host, setting, here: here.to_string(), there: there.to_string() })
}

/// The size of a loader whose samples the trainer divides.
#[derive(Serialize, Deserialize)]
pub(crate) struct LoaderSize {
    /// The number of samples of all ranks.
    pub(crate) samples: usize,
    /// The number of batches of this rank.
    pub(crate) batches: Option<usize>,
}

/// Fails unless the loaders whose samples the trainer divides have the same sizes on all ranks; `None` for others, and for streams.
pub(crate) fn check_loaders(
    strategy: &dyn Strategy,
    dataloader: &str,
    own: &[Option<LoaderSize>],
) -> Result<(), StrategyError> {
    let own = serde_json::to_value(own)?;
    let Some(Difference { rank, host, here, there }) = strategy.difference(Operation::Batches, own.clone(), own)?
    else {
        return Ok(());
    };
    let in_words = |sizes: Value| -> Result<String, StrategyError> {
        let sizes: Vec<Option<LoaderSize>> = serde_json::from_value(sizes)?;
        let each = sizes.iter().map(|size| match size {
            Some(LoaderSize { samples, batches: Some(batches) }) => {
                format!("{} in {} of each process", counted(*samples, "sample"), counted(*batches, "batch"))
            }
            Some(LoaderSize { samples, batches: None }) => counted(*samples, "sample"),
            None => "a loader that the trainer does not divide".to_owned(),
        });
        let each = each.collect::<Vec<_>>();
        Ok(if each.is_empty() { "no loader".to_owned() } else { each.join(", and ") })
    };
    let (here, there) = (in_words(here)?, in_words(there)?);
    Err(StrategyError::LoaderSizes { rank, host, dataloader: dataloader.to_owned(), here, there })
}
