//! `overfit_batches`: the same batches in each epoch, whatever the loader.

use crate::{SHUFFLING, Watching, alone, config, loader, rows};
use tch_lightning::data::{BatchSampler, CombinedLoader, IterableDataset, WorkerInfo};
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, trainer::BatchLimit};

/// What three epochs train and validate on.
fn overfitted(make: impl Fn() -> DataLoader<Tensor>) -> Watching {
    let mut module = Watching::new();
    let config = TrainerConfig { overfit_batches: BatchLimit::Batches(2), ..config(3) };
    Trainer::new(config).fit(&mut module, Loaders::train(make()).with_validation(make())).unwrap();
    module
}

/// The batches of an epoch, three times.
fn repeated(epoch: &[Vec<f32>]) -> Vec<Vec<f32>> {
    [epoch, epoch, epoch].concat()
}

#[test]
fn samplers_are_replaced_by_the_datasets_order() {
    let _alone = alone();
    let first: Vec<Vec<f32>> = rows()[..16].chunks(8).map(<[f32]>::to_vec).collect();
    for (name, make) in SHUFFLING {
        let Watching { seen, validated, .. } = overfitted(make);
        assert_eq!(seen, repeated(&first), "{name}");
        assert_eq!(validated, repeated(&first), "{name}");
    }
}

/// Batches that differ from epoch to epoch.
struct ByEpoch;

impl BatchSampler for ByEpoch {
    fn len(&self) -> usize {
        4
    }

    fn batches(&self, epoch: u64) -> Vec<Vec<usize>> {
        (0..4).map(|batch| vec![batch + 4 * epoch as usize]).collect()
    }
}

/// A stream that differs from epoch to epoch.
#[derive(Clone)]
struct Stream;

impl IterableDataset for Stream {
    type Sample = f32;

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<f32>> {
        let drawn = || Tensor::rand([1], (Kind::Float, Device::Cpu)).double_value(&[0]) as f32;
        worker.share(0..20).map(move |number: u8| Ok(f32::from(number) + 100.0 * epoch as f32 + drawn()))
    }
}

#[test]
fn streams_and_batch_samplers_repeat_their_first_epoch() {
    let _alone = alone();
    let makes: [fn() -> DataLoader<Tensor>; 4] = [
        || DataLoader::new(rows()).batch_sampler(ByEpoch),
        || DataLoader::iterable(Stream).batch_size(4),
        || DataLoader::iterable_with_workers(Stream, 2).batch_size(4),
        || CombinedLoader::sequential(vec![DataLoader::iterable(Stream).batch_size(4), loader().shuffle(true)]),
    ];
    for (place, make) in makes.into_iter().enumerate() {
        let Watching { seen, validated, .. } = overfitted(make);
        assert_eq!((seen.len(), validated.len()), (6, 6), "loader {place}");
        assert_eq!(seen, repeated(&seen[..2]), "loader {place}");
        assert_eq!(validated, repeated(&validated[..2]), "loader {place}");
    }
}
