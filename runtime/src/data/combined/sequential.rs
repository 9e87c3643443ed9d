//! Combined loaders that are read one after another.

use super::members::of_loader;
use super::parallel::refuse_options;
use crate::data::batches::Feed;
use crate::data::draws::Epoch;
use crate::data::options::Options;
use crate::data::reader::{Reader, WrapSampler};
use crate::data::seed::mixed;
use crate::data::{Batch, Batches, Combine, DataError, DataLoader, Sampler};
use crate::signal::Caught;
use std::sync::Arc;

/// Loaders that are read one after another.
pub(super) struct Sequential<B> {
    loaders: Vec<DataLoader<B>>,
}

impl<B: Batch> Sequential<B> {
    pub(super) fn new(loaders: Vec<DataLoader<B>>) -> Self {
        Self { loaders }
    }
}

impl<B: Batch> Reader<B> for Sequential<B> {
    fn num_batches(&self, _: &Options) -> Option<usize> {
        self.loaders.iter().map(DataLoader::num_batches).sum()
    }

    fn dataset_len(&self) -> Option<usize> {
        None
    }

    fn epoch(&self, options: &Options, epoch: Epoch) -> Result<Box<dyn Feed<B> + '_>, DataError> {
        refuse_options(options)?;
        let parts = self.loaders.iter().enumerate();
        let parts = parts.map(|(position, loader)| {
            let part = loader.epoch_with(epoch.number, epoch.seed.derived(position));
            part.map_err(|error| of_loader(position, error))
        });
        let parts: Vec<Batches<'_, B>> = parts.collect::<Result<_, _>>()?;
        if parts.is_empty() { Err(DataError::NoLoaders) } else { Ok(Box::new(Parts { parts, current: 0 })) }
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

/// An epoch of loaders that are read one after another.
struct Parts<'a, B> {
    parts: Vec<Batches<'a, B>>,
    current: usize,
}

impl<B: Batch> Feed<B> for Parts<'_, B> {
    fn num_batches(&self) -> Option<usize> {
        self.parts.iter().map(Batches::num_batches).sum()
    }

    fn fingerprint(&self) -> u64 {
        mixed(self.parts.iter().map(Batches::fingerprint))
    }

    fn skip_to(&mut self, batch_idx: usize) {
        self.parts.iter_mut().for_each(|part| part.go_to(0));
        self.current = 0;
        let mut left = batch_idx;
        while let Some(part) = self.parts.get_mut(self.current) {
            match part.num_batches() {
                Some(all) if all <= left => {
                    left -= all;
                    self.current += 1;
                }
                _ => return part.go_to(left),
            }
        }
    }

    fn is_ready(&mut self) -> bool {
        self.parts.get_mut(self.current).is_some_and(Batches::is_ready)
    }

    fn watch(&mut self, caught: &Caught) {
        self.parts.iter_mut().for_each(|part| part.watch_mut(caught));
    }

    fn next(&mut self) -> Option<Result<B, DataError>> {
        while let Some(part) = self.parts.get_mut(self.current) {
            if let Some(batch) = part.next() {
                return Some(batch.map_err(|error| of_loader(self.current, error)));
            }
            self.current += 1;
        }
        None
    }
}
