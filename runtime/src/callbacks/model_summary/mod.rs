//! Prints a table of the model's layers.

mod summary;

use crate::context::phase::{Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule, buffers, trainable};
use crate::terminal;
use anyhow::Result;
use summary::Summary;

/// Prints the model's layers to stderr: their parameters, the shapes of their inputs and outputs, and their floating-point operations.
/// Lightning's [`ModelSummary`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelSummary.html), without an
/// `example_input_array`: the example is the first training batch, after which the table is printed.
///
/// | column | |
/// |---|---|
/// | `Layer` | the path of the layer in the module's `VarStore`, with the number of its calls if there are several |
/// | `Tensors` | its parameters and buffers with their shapes; skipped if the terminal is too narrow |
/// | `Elements` | the number of their elements |
/// | `In`, `Out` | the shapes of the first call's input and output, as [`observe_layers`](crate::profiler::observe_layers) finds them; empty for a layer that was not called |
/// | `FLOPs` | the floating-point operations of its calls in the forward pass |
///
/// The lines below it contain the numbers of trainable, frozen and buffered elements, their size in MB, and the floating-point operations
/// of the training step, those of the backward pass included. The training step is only observed: the summary calls no operators and
/// draws no random numbers. If the step fails, the table shows the layers until the failure, among them the input of the layer that
/// failed.
///
/// An optimizer with several parameter groups has a table of its own: see [`Optimizer`](crate::optim::Optimizer#impl-Display-for-Optimizer).
///
/// [`ctx.observed_step()`](crate::RunContext::observed_step) returns the same numbers, and `run.json` contains them.
#[derive(Debug)]
#[must_use]
pub struct ModelSummary {
    /// Whether to print the table after the first training batch, with shapes and floating-point operations. Default true. Otherwise it is
    /// printed when `fit` begins, without them.
    pub observe_first_batch: bool,
    /// Whether the current run has begun without a table so far.
    is_due: bool,
}

impl Default for ModelSummary {
    fn default() -> Self {
        Self { observe_first_batch: true, is_due: false }
    }
}

impl ModelSummary {
    /// Creates a summary that is printed after the first training batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to print the table after the first training batch; see [`observe_first_batch`](field@Self::observe_first_batch).
    pub fn observe_first_batch(self, observe_first_batch: bool) -> Self {
        Self { observe_first_batch, ..self }
    }

    /// Prints the table, once in a run.
    fn print<M: LightningModule>(&mut self, ctx: &RunContext, module: &mut M) {
        if std::mem::take(&mut self.is_due) {
            let store = module.parameters();
            let (parameters, buffers) = (trainable(store), buffers(store));
            let summary = Summary { parameters: &parameters, buffers: &buffers, step: ctx.observed_step() };
            terminal::say(summary.text(terminal::width()));
            for optimizer in ctx.optimizers().iter().filter(|optimizer| optimizer.groups().len() > 1) {
                terminal::say(optimizer.to_string());
            }
        }
    }
}

impl<M: LightningModule> Callback<M> for ModelSummary {
    fn name(&self) -> &'static str {
        "ModelSummary"
    }

    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        self.is_due = true;
        if !self.observe_first_batch {
            self.print(ctx, module);
        }
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, module: &mut M, _: &M::Batch, _: usize) -> Result<()> {
        if self.is_due {
            ctx.observe_step(|| module.parameters().variables());
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        module: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        self.print(ctx, module);
        Ok(())
    }

    /// Prints the table of a run that did not train.
    fn on_fit_end(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        self.print(ctx, module);
        Ok(())
    }

    fn on_exception(&mut self, ctx: &mut Context<Outside>, module: &mut M, _: &Error) -> Result<()> {
        self.print(ctx, module);
        Ok(())
    }
}
