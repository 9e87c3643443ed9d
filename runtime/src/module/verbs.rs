//! Which of the trainer's verbs a module is ready for.
//!
//! The macro implements a marker for each step and for `configure_optimizers` where the block has the hook, so that
//! `fit` of a module without a training step does not compile. Beside traits that are implemented by hand, the markers are
//! written by hand too:
//!
//! ```
//! # use tch_lightning::prelude::*;
//! # use tch_lightning::{Batched, CheckpointHooks, DataHooks, DataHooksTable, LightningModule, ModelHooks, StepOutputs};
//! use tch_lightning::{LightningModuleTable, Validates};
//! # struct Model { vs: nn::VarStore }
//! # impl Batched for Model { type Batch = Tensor; }
//! # impl StepOutputs for Model {
//! #     type TrainingOutput = ();
//! #     type ValidationOutput = ();
//! #     type TestOutput = ();
//! #     type Prediction = ();
//! # }
//! # impl ModelHooks for Model {}
//! # impl DataHooks for Model {
//! #     const TABLE: DataHooksTable<Self> = DataHooksTable::NONE;
//! # }
//! # impl CheckpointHooks for Model {}
//! impl LightningModule for Model {
//!     const TABLE: LightningModuleTable<Self> =
//!         LightningModuleTable { validation_step: Some(Self::validation_step), ..LightningModuleTable::NONE };
//!
//!     fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor, _: usize, _: usize) -> Result<()> {
//!         ctx.log("mean", batch.mean(None));
//!         Ok(())
//!     }
//!     // …
//! #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
//! }
//!
//! impl Validates for Model {}
//! ```

use super::LightningModule;

/// A module with a `training_step`: one of the two things that `fit` needs.
#[diagnostic::on_unimplemented(
    message = "`fit` requires `training_step`, but `{Self}` does not define it [TL0402]",
    note = "write `fn training_step(&mut self, batch: …) -> Tensor` in the block under `#[lightning_module]`; where the traits are implemented by hand, `impl Trains for {Self} {{}}`"
)]
pub trait Trains: LightningModule {}

/// A module with `configure_optimizers`: one of the two things that `fit` needs.
#[diagnostic::on_unimplemented(
    message = "`fit` requires `configure_optimizers`, but `{Self}` does not define it [TL0403]",
    note = "write `fn configure_optimizers(&mut self) -> AdamW` in the block under `#[lightning_module]`; where the traits are implemented by hand, `impl Optimizes for {Self} {{}}`"
)]
pub trait Optimizes: LightningModule {}

/// A module with a `validation_step`, which `validate` needs.
#[diagnostic::on_unimplemented(
    message = "`validate` requires `validation_step`, but `{Self}` does not define it [TL0404]",
    note = "write `fn validation_step(&mut self, batch: …)` in the block under `#[lightning_module]`; where the traits are implemented by hand, `impl Validates for {Self} {{}}`"
)]
pub trait Validates: LightningModule {}

/// A module with a `test_step`, which `test` needs.
#[diagnostic::on_unimplemented(
    message = "`test` requires `test_step`, but `{Self}` does not define it [TL0405]",
    note = "write `fn test_step(&mut self, batch: …)` in the block under `#[lightning_module]`; where the traits are implemented by hand, `impl Tests for {Self} {{}}`"
)]
pub trait Tests: LightningModule {}

/// A module with a `predict_step`, which `predict` needs.
#[diagnostic::on_unimplemented(
    message = "`predict` requires `predict_step`, but `{Self}` does not define it [TL0406]",
    note = "write `fn predict_step(&mut self, batch: …) -> Tensor` in the block under `#[lightning_module]`; where the traits are implemented by hand, `impl Predicts for {Self} {{}}`"
)]
pub trait Predicts: LightningModule {}
