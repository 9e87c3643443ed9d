//! The attribute macros, with their documentation.

/// Makes a type a `LightningModule`: write it on the `impl` block that holds the model's hooks.
///
/// - A method named as a hook **is** that hook. It takes any subset of the hook's parameters, by name, in any order, and may
///   return the hook's value or a `Result` of it. It remains an ordinary method that can be called directly. A leading `_` in
///   the name of a parameter is ignored: `_batch_idx` is `batch_idx`.
/// - `parameters` returns the model's `nn::VarStore`. It is required.
/// - `fn new(hparams: Hparams) -> Self` constructs the model from its hyperparameters: the generated program has a flag for
///   each, and checkpoints store them. `fn new(hparams: Hparams, data: &Data) -> Self` takes the data module too, for example for
///   the size of a vocabulary: see [`FromHparamsAndData`](crate::module::FromHparamsAndData). The parameters may have any name.
/// - All other methods are unchanged. A method whose name starts with `on_` or is similar to a hook's is an error with a suggestion;
///   `#[not_a_hook]` marks it as an ordinary method.
/// - `ctx` is a `&mut Context` with the phase of the hook, or a `&mut RunContext` if nothing is logged.
/// - A hook under `#[cfg(…)]`, also within `#[cfg_attr(…)]`, exists if the condition holds.
/// - A crate that uses this one through another crate sets the path: `#[lightning_module(crate = "other_crate::tch_lightning")]`, and
///   `#[batch(crate = "…")]` under `#[derive(Batch)]`.
/// - Every error of the macros has a code, such as `[TL0001]`, and a page in [`errors`](crate::errors).
///
/// The type of batches is that of the parameter `batch` of `training_step`. The macro generates the implementations of the
/// hook traits, tables of the overridden hooks, and functions: `main::<Data>()` runs the complete program;
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
/// The rules are those of `#[lightning_module]`; the hooks are those of `Callback`. Each may take `module`, the module being
/// trained, whose type determines the modules that the callback works with. A callback without it works with every module whose
/// batches and outputs have the types in its hooks.
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
///
/// A callback for every module has a type parameter for it, on the hook or, for all hooks, on the block:
/// `impl<M: LightningModule> Count`. `module: &mut impl LightningModule` is short for it.
///
/// ```
/// use tch_lightning::prelude::*;
///
/// /// Counts the parameters of any module.
/// #[derive(Default)]
/// struct Count {
///     parameters: usize,
/// }
///
/// #[lightning_callback]
/// impl Count {
///     fn on_fit_start<M: LightningModule>(&mut self, ctx: &mut Context, module: &mut M) {
///         self.parameters = module.parameters().variables().values().map(Tensor::numel).sum();
///         ctx.print(format!("{} parameters", self.parameters));
///     }
/// }
///
/// # struct Model { vs: nn::VarStore }
/// # #[lightning_module]
/// # impl Model {
/// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// # }
/// fn is_for_every_module<M: LightningModule>(count: Count) -> impl Callback<M> {
///     count
/// }
/// # let _ = is_for_every_module::<Model>(Count::default());
/// ```
#[doc = tch_lightning_macros::declare_hooks!(CallbackTable)]
pub use tch_lightning_macros::lightning_callback;
