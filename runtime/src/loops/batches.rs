//! The batches that a loop goes through.

use crate::data::{Batch, DataError, DataLoader};
use crate::error::Error;
use crate::hook::Hook;

/// How many batches there are of a loader, of which at most `limit` are wanted; of a stream, more than will ever be.
pub(super) fn count<B: Batch>(loader: &DataLoader<B>, limit: Option<usize>) -> usize {
    let all = loader.num_batches().unwrap_or(usize::MAX);
    limit.map_or(all, |limit| limit.min(all))
}

/// The first batches of an epoch, `count` of them, with their places. What fails names the hook that made the loader.
pub(super) fn of_epoch<B: Batch>(
    loader: &DataLoader<B>,
    dataloader: Hook,
    epoch: usize,
    count: usize,
) -> Result<impl Iterator<Item = Result<(usize, B), Error>>, Error> {
    let failed = move |source: DataError| Error::Data { dataloader, source };
    let batches = loader.epoch(epoch as u64).map_err(failed)?.take(count);
    Ok(batches.enumerate().map(move |(batch_idx, batch)| Ok((batch_idx, batch.map_err(failed)?))))
}
