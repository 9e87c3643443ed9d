//! Loaders, samplers, workers and combined loaders: order, contents, and what is said of mistakes.

mod combined;
mod device;
mod iterable;
mod loader;
mod random;
mod samplers;
mod training;
mod workers;

use tch::Tensor;
use tch_lightning::data::{Batches, DataError};

/// The contents of batches of numbers.
fn read(batches: Batches<'_, Tensor>) -> Vec<Vec<i64>> {
    batches.map(|batch| numbers(batch.unwrap())).collect()
}

fn numbers(tensor: Tensor) -> Vec<i64> {
    Vec::try_from(tensor).unwrap()
}

/// An error and its causes in one line, without the place of a panic.
fn said(error: DataError) -> String {
    let said = format!("{:#}", anyhow::Error::from(error));
    said.split(" (panicked at").next().unwrap_or(&said).to_owned()
}

/// What can be said of a batch of one number, or of its error.
fn told(batch: Result<Tensor, DataError>) -> String {
    batch.map_or_else(said, |batch| batch.int64_value(&[0]).to_string())
}
