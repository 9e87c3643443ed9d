//! Loaders in runs: what order they deal, and what a run says of them.
#![allow(missing_docs)]

mod overfit;
mod resumed;
mod seeds;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch_lightning::data::{
    CombinedLoader, DistributedSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler,
};
use tch_lightning::prelude::*;

/// Seeds are the process's, so that two tests would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes down the batches that it is trained on.
struct Watching {
    vs: nn::VarStore,
    layer: nn::Linear,
    seen: Vec<Vec<f32>>,
    validated: Vec<Vec<f32>>,
}

impl Watching {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
        Self { vs, layer, seen: Vec::new(), validated: Vec::new() }
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

#[lightning_module]
impl Watching {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.seen.push(values(batch));
        self.layer.forward(&batch.unsqueeze(1).dropout(0.5, true)).square().mean(None)
    }

    fn validation_step(&mut self, batch: &Tensor) {
        self.validated.push(values(batch));
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1e-5)
    }
}

fn config(epochs: i64) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(epochs),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0,
        ..TrainerConfig::default()
    }
}

fn trainer(epochs: i64, folder: &Path) -> Trainer<Watching> {
    Trainer::new(TrainerConfig { default_root_dir: folder.to_owned(), ..config(epochs) })
}

/// The batches of two epochs.
fn dealt(loader: DataLoader<Tensor>) -> Vec<Vec<f32>> {
    let mut module = Watching::new();
    trainer(2, Path::new(".")).fit(&mut module, Loaders::train(loader)).unwrap();
    module.seen
}

fn rows() -> Vec<f32> {
    (0..48_u8).map(f32::from).collect()
}

fn loader() -> DataLoader<Tensor> {
    DataLoader::new(rows()).batch_size(8)
}

type MakeLoader = fn() -> DataLoader<Tensor>;

/// Every kind of loader that deals an order of its own.
const SHUFFLING: [(&str, MakeLoader); 7] = [
    ("shuffle", || loader().shuffle(true)),
    ("workers", || DataLoader::with_workers(rows(), 2).batch_size(8).shuffle(true)),
    ("random", || loader().sampler(RandomSampler::new(48).replacement(true))),
    ("subset", || loader().sampler(SubsetRandomSampler::new((0..40).collect::<Vec<_>>()))),
    ("weighted", || loader().sampler(WeightedRandomSampler::new(vec![1.0; 48], 48).unwrap())),
    ("distributed", || loader().sampler(DistributedSampler::new(RandomSampler::new(48), 1, 2).unwrap())),
    ("combined", || CombinedLoader::sequential(vec![loader().shuffle(true)])),
];
