//! The random numbers of a loader: what a seed, an epoch and a sample's place in it decide, whoever reads the sample.

use std::cell::Cell;
use std::iter::Flatten;
use std::ops::Range;
use std::vec::IntoIter;

use tch::{Device, Kind, Tensor};

use super::seed::{Seed, mixed};
use crate::native;

/// An epoch of a loader.
#[derive(Debug, Clone, Copy)]
pub struct Epoch {
    pub(super) number: u64,
    pub(super) seed: Seed,
}

/// What draws random numbers in an epoch. Each kind has its own, for each of its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawer {
    /// A sampler.
    Order = 1,
    /// The beginning of a stream, the same for all its workers, which may have to agree on something.
    Stream,
    /// What reads a batch, apart from its samples. Its place is that of the batch's first sample.
    Batch,
    /// A sample. Its place is the one that it has in the order of the epoch, as one may stand there twice.
    Sample,
    /// What joins samples. Its place is that of the batch's last sample.
    Collate,
}

impl Epoch {
    fn seed_of(self, drawer: Drawer, place: usize) -> u64 {
        mixed([self.seed.number, self.number, drawer as u64, place as u64])
    }

    /// Runs `call` with the random numbers of a drawer.
    pub(super) fn draw<T>(self, drawer: Drawer, place: usize, call: impl FnOnce() -> T) -> T {
        self.seed.scope(|| native::with_draws(self.seed_of(drawer, place), call))
    }

    /// Runs `call`, which reads batches whose samples have these places, with [`sample`] and [`collate`] in the samples' order.
    pub(super) fn read<T>(self, places: Vec<Range<usize>>, call: impl FnOnce() -> T) -> T {
        let first = places.first().map_or(0, |range| range.start);
        let samples = Samples { epoch: self, places: places.into_iter().flatten(), last: first };
        let _before = Restored(SAMPLES.replace(Some(samples)));
        self.draw(Drawer::Batch, first, call)
    }
}

/// The samples that are to be read.
struct Samples {
    epoch: Epoch,
    places: Flatten<IntoIter<Range<usize>>>,
    /// The place of the sample that was read last.
    last: usize,
}

thread_local! {
    static SAMPLES: Cell<Option<Samples>> = const { Cell::new(None) };
}

/// What a panic leaves in its place too.
struct Restored(Option<Samples>);

impl Drop for Restored {
    fn drop(&mut self) {
        SAMPLES.set(self.0.take());
    }
}

/// Runs `read` with the random numbers of the next sample, where a loader reads it. Samples that it reads itself
/// draw from the same numbers.
pub(super) fn sample<T>(read: impl FnOnce() -> T) -> T {
    let mut restored = Restored(SAMPLES.take());
    if let Some(samples) = &mut restored.0
        && let Some(place) = samples.places.next()
    {
        samples.last = place;
        native::seed_draws(samples.epoch.seed_of(Drawer::Sample, place));
    }
    read()
}

/// Switches to the random numbers of the collate function, after the samples were read.
pub(super) fn collate() {
    let samples = SAMPLES.take();
    if let Some(Samples { epoch, last, .. }) = &samples {
        native::seed_draws(epoch.seed_of(Drawer::Collate, *last));
    }
    SAMPLES.set(samples);
}

/// A random seed, for a generator other than libtorch's, such as those of the crate `rand`.
///
/// It is drawn from libtorch's generator of the CPU. So it follows [`seed_everything`](crate::seed_everything), and in a
/// dataset, a collate function or a sampler it is what a [`DataLoader`](super::DataLoader) promises of all random numbers
/// there: reproducible, different for each sample and epoch, and the same for any number of workers.
///
/// ```
/// use rand_chacha::ChaCha8Rng;
/// use rand_chacha::rand_core::{RngCore, SeedableRng};
/// use tch_lightning::data::{Dataset, random_seed};
///
/// /// Signals that begin at a random place.
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
