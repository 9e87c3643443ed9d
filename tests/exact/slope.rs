//! A model of one weight, whose value tells which samples it was trained on, and what its tests have in common.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch_lightning::callbacks::LambdaCallback;
use tch_lightning::checkpoint::SaveRequest;
use tch_lightning::data::Sampler;
use tch_lightning::prelude::*;

/// One weight, whose gradient is the sample: 1, 2, 3, …
pub(crate) struct Slope {
    pub(crate) vs: nn::VarStore,
    pub(crate) weight: Tensor,
    pub(crate) seen: Vec<i64>,
    /// The samples of an epoch.
    pub(crate) samples: i64,
    pub(crate) shuffles: bool,
    pub(crate) sampler: Option<Counting>,
    /// Whether training and validation draw random numbers.
    pub(crate) draws: bool,
    /// The validation batch that fails in epoch 0.
    pub(crate) fails_at: Option<usize>,
    /// The epoch from whose start on the weight is frozen.
    pub(crate) frozen_from: Option<usize>,
}

impl Slope {
    pub(crate) fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().zeros("weight", &[]);
        Self {
            vs,
            weight,
            seen: Vec::new(),
            samples: 4,
            shuffles: false,
            sampler: None,
            draws: false,
            fails_at: None,
            frozen_from: None,
        }
    }

    pub(crate) fn value(&self) -> f64 {
        self.weight.double_value(&[])
    }

    pub(crate) fn loader(&self) -> Result<DataLoader<Tensor>> {
        let loader =
            DataLoader::new(TensorDataset::new(Tensor::arange_start(1, self.samples + 1, (Kind::Int64, Device::Cpu)))?);
        Ok(match &self.sampler {
            Some(sampler) => loader.sampler(sampler.clone()),
            None => loader.shuffle(self.shuffles),
        })
    }
}

#[lightning_module]
impl Slope {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(1.0)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) {
        if self.frozen_from == Some(ctx.current_epoch()) {
            let _ = self.weight.set_requires_grad(false);
        }
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Option<Tensor> {
        ctx.log("sample", batch.to_kind(Kind::Float).mean(None)).on_step(false).on_epoch(true);
        self.seen.push(batch.int64_value(&[0]));
        let noise = if self.draws { Tensor::rand([1], (Kind::Float, Device::Cpu)) } else { Tensor::from(1f32) };
        let loss = (&self.weight * batch * noise).sum(Kind::Float);
        loss.requires_grad().then_some(loss)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor, batch_idx: usize) -> Result<()> {
        let _ = (batch, self.draws.then(|| Tensor::rand([1], (Kind::Float, Device::Cpu))));
        if ctx.current_epoch() == 0 && self.fails_at == Some(batch_idx) {
            bail!("no more")
        }
        Ok(())
    }
}

/// The indices from an order of its own on, which is another one each time that it is asked.
#[derive(Clone)]
pub(crate) struct Counting(pub(crate) Rc<Cell<usize>>);

impl Sampler for Counting {
    fn len(&self) -> usize {
        4
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        let first = self.0.replace(self.0.get() + 1);
        (0..4).map(|index| (index + first) % 4).collect()
    }
}

pub(crate) fn config(epochs: i64) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(epochs),
        limit_val_batches: 0.into(),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0,
        ..TrainerConfig::default()
    }
}

/// Random numbers and their seed are the process's: one test has them at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A callback that saves after each batch.
pub(crate) fn saves<M: tch_lightning::LightningModule>(folder: &Path) -> LambdaCallback<M> {
    let folder = folder.to_owned();
    LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut M, _, _, _| {
        let path = after(&folder, ctx.total_batches());
        ctx.save_checkpoint(SaveRequest::new(path));
        Ok(())
    })
}

pub(crate) fn after(folder: &Path, batches: usize) -> PathBuf {
    folder.join(format!("{batches}.ckpt"))
}
