//! A model whose validation gives the losses that a test asks for, and the trainer that checkpoints it.

use std::path::{Path, PathBuf};
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::prelude::*;

/// One weight, which grows by 1 with each of the two batches of an epoch.
pub struct Counting {
    vs: nn::VarStore,
    weight: Tensor,
    /// The validation loss of each epoch; the last one counts for those that follow.
    val_losses: Vec<f64>,
}

impl Counting {
    pub fn new(val_losses: &[f64]) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().zeros("weight", &[1]);
        Self { vs, weight, val_losses: val_losses.to_owned() }
    }

    pub fn beginning_at(weight: f64) -> Self {
        let mut counting = Self::new(&[1.0]);
        tch::no_grad(|| drop(counting.weight.fill_(weight)));
        counting
    }
}

fn batches() -> Result<DataLoader<Tensor>> {
    Ok(DataLoader::new(TensorDataset::new(Tensor::zeros([2, 1], (Kind::Float, Device::Cpu)))?))
}

#[lightning_module]
impl Counting {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, _batch: &Tensor) -> Tensor {
        -self.weight.sum(Kind::Float)
    }

    fn validation_step(&self, ctx: &mut Context, _batch: &Tensor) {
        let last = self.val_losses.len() - 1;
        let loss = self.val_losses[ctx.current_epoch().min(last)];
        ctx.log("val_loss", loss);
        ctx.log("val/loss", loss);
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1.0)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        batches()
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        batches()
    }
}

pub fn config(epochs: i64) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(epochs),
        num_sanity_val_steps: 0,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

/// A `ModelCheckpoint` that keeps the best by `monitor`.
pub fn best(folder: &Path, monitor: &str) -> ModelCheckpoint {
    ModelCheckpoint::new().dirpath(folder).monitor(monitor)
}

/// Trains, from the checkpoint `after` where there is one.
pub fn trained(
    checkpoint: ModelCheckpoint,
    config: TrainerConfig,
    val_losses: &[f64],
    after: Option<&Path>,
) -> Result<Trainer<Counting>, tch_lightning::Error> {
    let mut trainer = Trainer::new(config).callback(checkpoint);
    if let Some(path) = after {
        trainer = trainer.ckpt_path(path);
    }
    trainer.fit(&mut Counting::new(val_losses), ())?;
    Ok(trainer)
}

/// What the run's `ModelCheckpoint` knows.
pub fn callback(trainer: &Trainer<Counting>) -> &ModelCheckpoint {
    trainer.find_callback().unwrap()
}

/// The files and links below a folder, by their names in it.
pub fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = below(folder).iter().map(|path| name_in(folder, path)).collect();
    files.sort();
    files
}

fn name_in(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
