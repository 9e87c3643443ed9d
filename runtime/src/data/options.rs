//! The options of a loader.

use std::sync::Arc;
use std::time::Duration;

use super::{BatchSampler, Sampler};

/// The options of a loader. They are checked when an epoch starts.
pub struct Options {
    pub(super) batch_size: Option<usize>,
    pub(super) shuffle: bool,
    pub(super) seed: Option<u64>,
    pub(super) drop_last: bool,
    pub(super) sampler: Option<Arc<dyn Sampler>>,
    pub(super) batch_sampler: Option<Box<dyn BatchSampler>>,
    pub(super) pin_memory: bool,
    pub(super) check_contract: bool,
    pub(super) prefetch: Prefetch,
    /// The number of this process and that of all, over which a stream is divided.
    pub(super) process: (usize, usize),
}

/// The options of workers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefetch {
    pub(super) factor: usize,
    pub(super) persistent_workers: bool,
    pub(super) timeout: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_size: None,
            shuffle: false,
            seed: None,
            drop_last: false,
            sampler: None,
            batch_sampler: None,
            pin_memory: false,
            check_contract: true,
            prefetch: Prefetch { factor: 2, persistent_workers: true, timeout: None },
            process: (0, 1),
        }
    }
}

impl Options {
    /// The number of samples in a batch.
    pub(super) fn batch_size(&self) -> usize {
        self.batch_size.unwrap_or(1)
    }

    /// The same options with another order of samples.
    pub(super) fn with_sampler(&self, sampler: Arc<dyn Sampler>) -> Self {
        let Self { batch_size, seed, drop_last, pin_memory, check_contract, prefetch, process, .. } = *self;
        let sampler = Some(sampler);
        Self {
            batch_size,
            shuffle: false,
            seed,
            drop_last,
            sampler,
            batch_sampler: None,
            pin_memory,
            check_contract,
            prefetch,
            process,
        }
    }

    /// The names of the options set that concern the order of the samples.
    pub(super) fn about_order(&self) -> impl Iterator<Item = &'static str> {
        chosen([
            ("shuffle", self.shuffle),
            ("sampler", self.sampler.is_some()),
            ("batch_sampler", self.batch_sampler.is_some()),
        ])
    }

    /// The names of the options set that only a loader with a dataset can have.
    pub(super) fn about_dataset(&self) -> impl Iterator<Item = &'static str> {
        let others = [
            ("batch_size", self.batch_size.is_some()),
            ("drop_last", self.drop_last),
            ("seed", self.seed.is_some()),
            ("pin_memory", self.pin_memory),
            ("check_contract", !self.check_contract),
        ];
        chosen(others).chain(self.about_order())
    }

    /// Returns the names of two options set that exclude each other.
    pub(super) fn conflict(&self) -> Option<(&'static str, &'static str)> {
        let both = chosen([("shuffle", self.shuffle), ("sampler", self.sampler.is_some())]);
        if self.batch_sampler.is_some() {
            let cut = chosen([("batch_size", self.batch_size.is_some()), ("drop_last", self.drop_last)]);
            both.chain(cut).next().map(|other| ("batch_sampler", other))
        } else {
            (both.count() == 2).then_some(("sampler", "shuffle"))
        }
    }
}

fn chosen<const N: usize>(options: [(&'static str, bool); N]) -> impl Iterator<Item = &'static str> {
    options.into_iter().filter_map(|(name, chosen)| chosen.then_some(name))
}
