//! Tests of loaders, samplers, workers and combined loaders: order, contents and errors.

mod combined;
mod device;
#[cfg(feature = "images")]
mod images;
mod iterable;
mod loader;
#[cfg(feature = "parquet")]
mod parquet;
mod plain;
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

/// An error and its causes in one line, without the location of a panic.
fn message(error: DataError) -> String {
    let message = format!("{:#}", anyhow::Error::from(error));
    message.split(" (panicked at").next().unwrap_or(&message).to_owned()
}

/// The number in a batch of one, or the message of its error.
fn outcome(batch: Result<Tensor, DataError>) -> String {
    batch.map_or_else(message, |batch| batch.int64_value(&[0]).to_string())
}
