//! A model whose parts take known times.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::thread::sleep;
use std::time::Duration;
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, seed_everything};

/// The rows of the data, in batches of 2.
pub const ROWS: usize = 16;
/// The batches of a training epoch.
pub const BATCHES: u64 = 8;

/// Rows that take a time to read.
#[derive(Clone)]
pub struct SlowRows(pub Duration);

impl Dataset for SlowRows {
    type Sample = Tensor;

    fn len(&self) -> usize {
        ROWS
    }

    fn get_item(&self, index: usize) -> Result<Tensor> {
        sleep(self.0);
        Ok(Tensor::from_slice(&[index as f32, 1.0]))
    }
}

/// The hyperparameters of [`Rows`].
#[derive(Args, Serialize, Deserialize)]
pub struct DataHparams {
    /// The milliseconds that a row takes to read
    #[arg(long, default_value_t = 0)]
    pub read: u64,
    /// The threads that read
    #[arg(long, default_value_t = 0)]
    pub workers: usize,
}

/// A data module of [`SlowRows`].
pub struct Rows(pub DataHparams);

#[lightning_datamodule]
impl Rows {
    /// Keeps the hyperparameters.
    pub fn new(hparams: DataHparams) -> Self {
        Self(hparams)
    }

    fn setup(&mut self) {}

    fn train_dataloader(&mut self) -> DataLoader<Tensor> {
        let rows = SlowRows(Duration::from_millis(self.0.read));
        DataLoader::with_workers(rows, self.0.workers).batch_size(2)
    }

    fn val_dataloader(&mut self) -> DataLoader<Tensor> {
        DataLoader::new(SlowRows(Duration::ZERO)).batch_size(8)
    }

    fn test_dataloader(&mut self) -> DataLoader<Tensor> {
        DataLoader::new(SlowRows(Duration::ZERO)).batch_size(8)
    }
}

/// The hyperparameters of [`Line`].
#[derive(Args, Default, Serialize, Deserialize)]
pub struct Hparams {
    /// The milliseconds that the loss takes
    #[arg(long, default_value_t = 0)]
    pub step: u64,
    /// Whether `configure_optimizers` requests the number of optimizer steps
    #[arg(long)]
    pub estimates: bool,
}

/// A linear layer, which learns to return zero.
pub struct Line {
    vs: nn::VarStore,
    layer: nn::Linear,
    step: Duration,
    estimates: bool,
}

#[lightning_module]
impl Line {
    /// Creates the layer, always the same one.
    pub fn new(hparams: Hparams) -> Self {
        seed_everything(1);
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 2, 1, nn::LinearConfig::default());
        Self { vs, layer, step: Duration::from_millis(hparams.step), estimates: hparams.estimates }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = ctx.profile("loss", |_| {
            sleep(self.step);
            self.loss(batch)
        });
        ctx.log("train_loss", &loss);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        let loss = self.loss(batch);
        ctx.log("val_loss", &loss);
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        let loss = self.loss(batch);
        ctx.log("test_loss", &loss);
    }

    fn on_train_epoch_start(&mut self) {}

    fn on_train_batch_end(&mut self) {}

    fn configure_optimizers(&self, ctx: &mut Context) -> Result<Sgd> {
        if self.estimates {
            ctx.estimated_stepping_batches()?;
        }
        Ok(Sgd::new(1e-4))
    }

    #[not_a_hook]
    fn loss(&self, rows: &Tensor) -> Tensor {
        self.layer.forward(rows).square().mean(Kind::Float)
    }
}

/// Loads rows for training only.
pub fn training_only(read: Duration) -> Loaders<Tensor> {
    Loaders::train(DataLoader::new(SlowRows(read)).batch_size(2))
}
