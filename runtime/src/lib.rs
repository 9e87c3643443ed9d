//! PyTorch Lightning's module, hooks and trainer, in Rust over libtorch.
//!
//! A model is an ordinary struct. `#[lightning_module]` on its `impl` block finds the hooks among its methods, checks their
//! names and signatures when the program is compiled, and makes it something that a [`Trainer`] can train, validate, test
//! and predict with. `Model::main::<Data>()` is a whole program with these four verbs.

mod callbacks;
mod checkpoint;
pub mod cli;
mod config;
mod context;
pub mod data;
mod device;
mod error;
mod hook;
mod loggers;
mod loops;
mod mismatch;
mod module;
mod native;
pub mod optim;
mod panic;
mod stage;
mod table;
mod trainer;
mod whole_file;

#[doc(hidden)]
pub mod __private;

pub use callbacks::{ModelSummary, ProgressBar};
pub use checkpoint::{Checkpoint, CheckpointError, LAYOUT, Metadata};
pub use config::{GradientClipAlgorithm, TrainerConfig};
pub use context::{Context, LogEntry, LogValue, Reduction, RunContext, at};
pub use device::{Accelerator, CudaStatus, DeviceError, Devices, cuda_status, mps_is_available};
pub use error::{Error, HookError};
pub use hook::{Hook, MissingHook};
pub use loggers::{CsvLogger, Logger};
pub use mismatch::{Mismatch, Misshaped};
pub use module::{
    Batched, Callback, Callbacks, CheckpointHooks, CheckpointHooksTable, DataHooks, DataHooksTable, DataOf, DataSource,
    Flow, FromHparams, HookFailure, HookParameter, HookReturn, Hyperparameters, LightningDataModule,
    LightningDataModuleTable, LightningModule, LightningModuleTable, Loaders, Made, ModelHooks, ModelHooksTable,
    NoHparams, Optimizes, Place, Predicts, StepClosure, StepOutputs, Tests, TrainingOutput, Trains, Validates,
    overridden_hooks, places,
};
pub use native::libtorch_version;
pub use optim::OptimizerIndex;
pub use stage::{RunningStage, Stage};
/// ```
/// use tch_lightning::prelude::*;
///
/// /// Halves the learning rate after every epoch.
/// struct Halving;
///
/// #[lightning_callback]
/// impl Halving {
///     fn on_train_epoch_end(&mut self, ctx: &mut Context) {
///         for optimizer in ctx.optimizers_mut() {
///             optimizer.set_lr(optimizer.lr() / 2.0);
///         }
///         ctx.log("lr", ctx.optimizers()[0].lr());
///     }
/// }
/// ```
#[doc = tch_lightning_macros::declare_hooks!(CallbackTable)]
pub use tch_lightning_macros::lightning_callback;
/// ```
/// use tch_lightning::prelude::*;
///
/// struct Points;
///
/// #[lightning_datamodule]
/// impl Points {
///     fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
///         let x = Tensor::rand([100, 2], (Kind::Float, Device::Cpu));
///         let y = x.square().sum_dim_intlist(1, false, Kind::Float).lt(1.0).to_kind(Kind::Int64);
///         Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(20).shuffle(true))
///     }
/// }
/// ```
#[doc = tch_lightning_macros::declare_hooks!(DataModuleTable)]
pub use tch_lightning_macros::lightning_datamodule;
/// ```
/// use tch_lightning::Hook;
/// use tch_lightning::prelude::*;
///
/// struct Classifier {
///     vs: nn::VarStore,
///     net: nn::Linear,
/// }
///
/// #[lightning_module]
/// impl Classifier {
///     fn new() -> Self {
///         let vs = nn::VarStore::new(Device::Cpu);
///         let net = nn::linear(vs.root(), 4, 3, nn::LinearConfig::default());
///         Self { vs, net }
///     }
///
///     fn parameters(&mut self) -> &mut nn::VarStore {
///         &mut self.vs
///     }
///
///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<Tensor> {
///         let (inputs, labels) = batch;
///         let loss = self.net.forward(inputs).cross_entropy_for_logits(labels);
///         ctx.log("train_loss", &loss).prog_bar();
///         Ok(loss)
///     }
///
///     fn on_train_batch_start(&self, batch_idx: usize) -> Flow {
///         if batch_idx < 100 { Flow::Continue } else { Flow::SkipEpoch }
///     }
///
///     fn configure_optimizers(&self) -> AdamW {
///         AdamW::new(1e-3)
///     }
/// }
///
/// assert_eq!(Classifier::hooks(), [Hook::TrainingStep, Hook::ConfigureOptimizers, Hook::OnTrainBatchStart]);
/// ```
#[doc = tch_lightning_macros::declare_hooks!(ModuleTable)]
///
/// Of the hooks of Lightning 2.6 one is left out: `lr_scheduler_step`, since there are no schedulers yet.
pub use tch_lightning_macros::lightning_module;
pub use trainer::{Metrics, Trainer};

/// Seeds libtorch's random numbers on every device: initial weights, dropout, sampling. Lightning's
/// [`seed_everything`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#reproducibility). The order of shuffled
/// data has a seed of its own, in its [`DataLoader`](data::DataLoader).
pub fn seed_everything(seed: i64) {
    tch::manual_seed(seed);
}

/// What a model's file needs: `use tch_lightning::prelude::*;`.
pub mod prelude {
    pub use crate::data::{Batch, Collate, DataLoader, DataLoaders, Dataset, TensorDataset};
    pub use crate::optim::{Adam, AdamW, Optimizers, Sgd};
    pub use crate::{
        Callback, Checkpoint, Context, Flow, OptimizerIndex, Reduction, Stage, StepClosure, Trainer, TrainerConfig,
        lightning_callback, lightning_datamodule, lightning_module,
    };
    pub use anyhow::{Result, anyhow, bail};
    pub use std::process::ExitCode;
    pub use tch::nn::{Module as _, ModuleT as _};
    pub use tch::{self, Device, Kind, Tensor, nn};
}
