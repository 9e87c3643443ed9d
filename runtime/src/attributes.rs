//! The attributes, with what users need to know of them.

/// Makes a type a `LightningModule`: write it on the `impl` block that holds the model's hooks.
///
/// - A method named as a hook **is** that hook. It takes any subset of the hook's parameters, by name, in any order, and may
///   return the hook's value or a `Result` of it. It stays an ordinary method, callable by itself. A `_` before the name of a
///   parameter does not count: `_batch_idx` is `batch_idx`.
/// - `parameters` returns the model's `nn::VarStore`, and must be there.
/// - `fn new(hparams: Hparams) -> Self` constructs the model from its hyperparameters: the generated program has a flag for
///   each, and checkpoints store them. `fn new(hparams: Hparams, data: &Data) -> Self` takes the data module too, as for the size
///   of a vocabulary: see [`FromHparamsAndData`](crate::module::FromHparamsAndData). The parameters may have any name.
/// - Any other method is left as it is. One that starts with `on_`, or nearly has a hook's name, is an error with a suggestion;
///   `#[not_a_hook]` above it says that it is meant.
/// - `ctx` is a `&mut Context` of the hook's own moment, or a `&mut RunContext` where nothing is logged.
/// - A hook under `#[cfg(…)]`, also within `#[cfg_attr(…)]`, is one where the condition holds.
/// - A crate that reaches this one through another names it: `#[lightning_module(crate = "other_crate::tch_lightning")]`, and
///   `#[batch(crate = "…")]` under `#[derive(Batch)]`.
/// - Every mistake that is found has a code, `[TL0001]`, and a page in [`errors`](crate::errors).
///
/// The batch's type is that of the parameter `batch` of `training_step`. The macro writes the implementations of the hook
/// traits, the tables that tell the loops which hooks there are, and three functions: `main::<Data>()`, the whole program;
/// `trainer()`, a `Trainer` with the defaults; and `hooks()`, the overridden hooks.
///
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
pub use tch_lightning_macros::lightning_module;

/// Makes a type a `LightningDataModule`: write it on the `impl` block that holds its hooks.
///
/// The rules are those of `#[lightning_module]`; the hooks are those of `DataHooks`: `prepare_data`, `setup`, `teardown`, the
/// four `…_dataloader`s and the three around a batch's way to the device. The batch's type is that of the loaders.
/// `fn new(hparams: Hparams) -> Self` makes it from the command line.
///
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

/// Makes a type a `Callback`: write it on the `impl` block that holds its hooks.
///
/// The rules are those of `#[lightning_module]`; the hooks are those of `Callback`. Each may ask for `module`, the module
/// that is trained: its type says which modules the callback can watch. A callback that asks for none watches every module
/// whose batches and outputs are those that its hooks ask for.
///
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
