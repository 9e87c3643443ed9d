//! Traits of modules that define what a method of the trainer requires.
//!
//! `#[lightning_module]` implements one for each step, and for `configure_optimizers`, that the block defines, so that `fit` of a
//! module without a training step does not compile. If you implement the hook traits by hand, implement these too:
//!
//! ```
//! # use tch_lightning::prelude::*;
//! # use tch_lightning::{module::{Batched, CheckpointHooks, DataHooks, DataHooksTable, ModelHooks, StepOutputs}, LightningModule};
//! use tch_lightning::context::phase::Step;
//! use tch_lightning::module::{LightningModuleTable, Validates};
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
//!     fn validation_step(&mut self, ctx: &mut Context<Step>, batch: &Tensor, _: usize, _: usize) -> Result<()> {
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

tch_lightning_macros::declare_hooks!(Capabilities);
