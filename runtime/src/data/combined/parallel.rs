//! Combined loaders that yield a batch of each loader at every step.

use super::members::{Combine, Members};
use crate::data::batches::Feed;
use crate::data::draws::Epoch;
use crate::data::options::Options;
use crate::data::reader::{Reader, WrapSampler};
use crate::data::seed::mixed;
use crate::data::{Batch, DataError, Sampler};
use crate::signal::Caught;
use std::sync::Arc;

/// The end of an epoch, and the treatment of loaders that are exhausted before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    MaxSizeCycle,
    MinSize,
    MaxSize,
}

/// Loaders that are read in parallel.
pub(super) struct Parallel<L: Combine, B> {
    loaders: L,
    mode: Mode,
    /// Returns the batch of a step; `None` if a required batch is missing.
    join: fn(L::Optional) -> Option<B>,
}

impl<L: Combine, B: Batch> Parallel<L, B> {
    pub(super) fn new(loaders: L, mode: Mode, join: fn(L::Optional) -> Option<B>) -> Self {
        Self { loaders, mode, join }
    }
}

impl<L: Combine, B: Batch> Reader<B> for Parallel<L, B> {
    fn num_batches(&self, _: &Options) -> Option<usize> {
        let all: Option<Vec<usize>> = self.loaders.num_batches().into_iter().collect();
        match self.mode {
            Mode::MinSize => all?.into_iter().min(),
            Mode::MaxSize | Mode::MaxSizeCycle => all?.into_iter().max(),
        }
    }

    fn dataset_len(&self) -> Option<usize> {
        None
    }

    fn epoch(&self, options: &Options, epoch: Epoch) -> Result<Box<dyn Feed<B> + '_>, DataError> {
        refuse_options(options)?;
        let mut members = self.loaders.members(epoch)?;
        if members.each().is_empty() {
            return Err(DataError::NoLoaders);
        }
        let num_batches = self.num_batches(options);
        Ok(Box::new(Steps::<L, B> { members, mode: self.mode, join: self.join, num_batches }))
    }

    fn divide_streams(&mut self, _: &mut Options, process: (usize, usize)) {
        self.loaders.divide_streams(process);
    }

    fn make_sequential(&mut self, _: &mut Options) -> bool {
        self.loaders.make_sequential()
    }

    fn describe(&self, _: &Options) -> String {
        self.loaders.describe()
    }

    fn order(&self, _: &Options) -> Result<Arc<dyn Sampler>, &'static str> {
        Err("several loaders")
    }

    fn map_sampler(&mut self, _: &mut Options, wrap: &mut WrapSampler<'_>) -> Result<(), DataError> {
        self.loaders.map_sampler(wrap)
    }
}

/// Rejects options that must be set on the loaders that are combined.
pub(super) fn refuse_options(options: &Options) -> Result<(), DataError> {
    match options.about_dataset().next() {
        Some(option) => Err(DataError::CombinedOption { option }),
        None => Ok(()),
    }
}

/// An epoch of loaders that are read in parallel.
struct Steps<'a, L: Combine, B> {
    members: L::Members<'a>,
    mode: Mode,
    join: fn(L::Optional) -> Option<B>,
    num_batches: Option<usize>,
}

impl<L: Combine, B: Batch> Feed<B> for Steps<'_, L, B> {
    fn num_batches(&self) -> Option<usize> {
        self.num_batches
    }

    fn fingerprint(&self) -> u64 {
        mixed([self.mode as u64].into_iter().chain(self.members.fingerprints()))
    }

    fn skip_to(&mut self, batch_idx: usize) {
        for member in self.members.each() {
            match self.mode {
                Mode::MaxSizeCycle => member.cycle_to(batch_idx),
                Mode::MinSize | Mode::MaxSize => member.skip_to(batch_idx),
            }
        }
    }

    fn is_ready(&mut self) -> bool {
        let may_lack = self.mode == Mode::MaxSize;
        self.members.each().into_iter().all(|member| (may_lack && member.is_exhausted()) || member.is_ready())
    }

    fn watch(&mut self, caught: &Caught) {
        self.members.each().into_iter().for_each(|member| member.watch(caught));
    }

    fn next(&mut self) -> Option<Result<B, DataError>> {
        let mut members = self.members.each();
        members.iter_mut().for_each(|member| member.read());
        let is_over = match self.mode {
            Mode::MinSize => members.iter().any(|member| !member.has_batch()),
            Mode::MaxSize => members.iter().all(|member| !member.has_batch()),
            Mode::MaxSizeCycle => {
                let one_is_exhausted = members.iter().any(|member| !member.has_batch());
                one_is_exhausted && members.iter().all(|member| member.was_exhausted())
            }
        };
        if is_over {
            return None;
        }
        if self.mode == Mode::MaxSizeCycle {
            for member in members.into_iter().filter(|member| !member.has_batch()) {
                member.restart();
                member.read();
            }
        }
        self.members.take().map(self.join).transpose()
    }
}
