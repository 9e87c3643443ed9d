//! The random numbers of a loader. They depend only on the seed, the epoch and a sample's position in it, not on the
//! worker that reads the sample.

use std::cell::Cell;
use std::iter::Flatten;
use std::ops::Range;
use std::vec::IntoIter;

use tch::{Device, Kind, Tensor};

use super::seed::{Seed, mixed};
use crate::native;

/// The number and the seed of an epoch.
#[derive(Debug, Clone, Copy)]
pub struct Epoch {
    pub(super) number: u64,
    pub(super) seed: Seed,
}

/// A consumer of random numbers in an epoch. Each has an independent seed for each position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawer {
    /// A sampler.
    Order = 1,
    /// The start of a stream, with the same seed in all workers, so that they can draw the same order.
    Stream,
    /// A dataset that reads a batch, apart from its samples. The position is that of the batch's first sample.
    Batch,
    /// A sample. The position is that in the order of the epoch, as an index may occur there twice.
    Sample,
    /// A collate function. The position is that of the batch's last sample.
    Collate,
}

impl Epoch {
    fn seed_of(self, drawer: Drawer, position: usize) -> u64 {
        mixed([self.seed.number, self.number, drawer as u64, position as u64])
    }

    /// Runs `call` with the random numbers of `drawer` at `position`.
    pub(super) fn draw<T>(self, drawer: Drawer, position: usize, call: impl FnOnce() -> T) -> T {
        self.seed.scope(|| native::with_draws(self.seed_of(drawer, position), call))
    }

    /// Runs `call`, which reads the samples at `positions` of the order and calls [`sample`] and [`collate`] in that order.
    pub(super) fn read<T>(self, positions: Vec<Range<usize>>, call: impl FnOnce() -> T) -> T {
        let first = positions.first().map_or(0, |range| range.start);
        let samples = Samples { epoch: self, positions: positions.into_iter().flatten(), last: first };
        let _before = Restored(SAMPLES.replace(Some(Box::new(samples))));
        self.draw(Drawer::Batch, first, call)
    }
}

/// The samples still to be read on this thread.
struct Samples {
    epoch: Epoch,
    positions: Flatten<IntoIter<Range<usize>>>,
    /// The position of the sample that was read last.
    last: usize,
}

thread_local! {
    /// In a box, as each sample takes it out and puts it back.
    static SAMPLES: Cell<Option<Box<Samples>>> = const { Cell::new(None) };
}

/// Restores [`SAMPLES`] when dropped, also after a panic.
struct Restored(Option<Box<Samples>>);

impl Drop for Restored {
    fn drop(&mut self) {
        SAMPLES.set(self.0.take());
    }
}

/// Runs `read` with the random numbers of the next sample, if a loader is reading. Samples that `read` reads in turn draw
/// from the same numbers.
pub(super) fn sample<T>(read: impl FnOnce() -> T) -> T {
    let mut restored = Restored(SAMPLES.take());
    if let Some(samples) = &mut restored.0
        && let Some(position) = samples.positions.next()
    {
        samples.last = position;
        native::seed_draws(samples.epoch.seed_of(Drawer::Sample, position));
    }
    read()
}

/// Switches to the random numbers of the collate function, after the samples have been read.
pub(super) fn collate() {
    let samples = SAMPLES.take();
    if let Some(samples) = &samples {
        native::seed_draws(samples.epoch.seed_of(Drawer::Collate, samples.last));
    }
    SAMPLES.set(samples);
}

/// Returns a random seed for a generator other than libtorch's, such as those of the `rand` crate.
///
/// It is drawn from libtorch's CPU generator, so it follows [`seed_everything`](crate::seed_everything). In a dataset, a
/// collate function or a sampler it has the guarantees that a [`DataLoader`](super::DataLoader) gives for all random
/// numbers there: reproducible, different for each sample and epoch, and the same for any number of workers.
///
/// ```
/// use rand_chacha::ChaCha8Rng;
/// use rand_chacha::rand_core::{RngCore, SeedableRng};
/// use tch_lightning::data::{Dataset, random_seed};
///
/// /// Signals, each rotated by a random shift.
/// #[derive(Clone)]
/// struct Shifted(Vec<Vec<f32>>);
///
/// impl Dataset for Shifted {
///     type Sample = Vec<f32>;
///
///     fn len(&self) -> usize {
///         self.0.len()
///     }
///
///     fn get_item(&self, index: usize) -> anyhow::Result<Vec<f32>> {
///         let mut signal = self.0[index].clone();
///         let mut rng = ChaCha8Rng::seed_from_u64(random_seed());
///         let shift = rng.next_u64() as usize % signal.len();
///         signal.rotate_left(shift);
///         Ok(signal)
///     }
/// }
/// # Shifted(vec![vec![1.0, 2.0]]).get_item(0).unwrap();
/// ```
pub fn random_seed() -> u64 {
    // `random_` draws from 0 to the largest number of the dtype
    Tensor::empty([1], (Kind::Int64, Device::Cpu)).random_().int64_value(&[0]) as u64
}
