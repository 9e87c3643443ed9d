//! Tests of every kind of loader in a run.

use tch_lightning::data::{CombinedLoader, IterableDataset, WorkerInfo};
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, trainer::BatchLimit};

/// A module that records its batches.
struct Recorder {
    vs: nn::VarStore,
    seen: Vec<Vec<i64>>,
}

#[lightning_module]
impl Recorder {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        let (labelled, unlabelled) = batch;
        self.seen.push(vec![labelled.int64_value(&[0]), unlabelled.int64_value(&[0])]);
        self.vs.root().get("weight").unwrap() * labelled.mean(Kind::Float)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn fit(loader: DataLoader<(Tensor, Tensor)>, limit_train_batches: BatchLimit) -> Vec<Vec<i64>> {
    let vs = nn::VarStore::new(Device::Cpu);
    let _ = vs.root().var("weight", &[], nn::Init::Const(1.0));
    let mut module = Recorder { vs, seen: Vec::new() };
    let folder = tempfile::tempdir().unwrap();
    let config = TrainerConfig {
        max_epochs: Some(2),
        limit_train_batches,
        default_root_dir: folder.path().to_owned(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    Trainer::new(config).fit(&mut module, Loaders::train(loader)).unwrap();
    module.seen
}

#[test]
fn fit_trains_on_a_combined_loader_with_workers() {
    let part = |len: i64| DataLoader::with_workers((0..len).collect::<Vec<_>>(), 2);
    let seen = fit(CombinedLoader::max_size_cycle((part(2), part(3))), BatchLimit::Fraction(1.0));
    assert_eq!(seen, [[0, 0], [1, 1], [0, 2], [0, 0], [1, 1], [0, 2]]);
}

/// The numbers below `len`, with the epoch.
#[derive(Clone)]
struct Stream {
    len: i64,
}

impl IterableDataset for Stream {
    type Sample = (i64, i64);

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<(i64, i64)>> {
        worker.share(0..self.len).map(move |number| Ok((number, epoch as i64)))
    }
}

#[test]
fn fit_trains_on_a_stream_to_its_end() {
    let seen = fit(DataLoader::iterable(Stream { len: 2 }), BatchLimit::Fraction(1.0));
    assert_eq!(seen, [[0, 0], [1, 0], [0, 1], [1, 1]]);
}

#[test]
fn fit_trains_on_an_endless_stream_up_to_a_limit() {
    let seen = fit(DataLoader::iterable_with_workers(Stream { len: i64::MAX }, 2), BatchLimit::Batches(3));
    assert_eq!(seen, [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]);
}
