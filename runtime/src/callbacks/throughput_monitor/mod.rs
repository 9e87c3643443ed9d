//! Logs the throughput of batches and samples.

mod meter;
mod throughput;

pub use throughput::{Throughput, ThroughputTotals};

use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::data::Batch;
use crate::json;
use crate::module::{Callback, LightningModule};
use crate::native::synchronize;
use crate::stage::{RunningStage, Stage};
use anyhow::Result;
use meter::{Counted, Meter};
use serde_json::Value;
use std::fmt;
use tch::Device;

/// Returns a size of a batch.
type SizeFn<B> = dyn FnMut(&B) -> usize;

/// Logs batches and samples per second, for training and for every other loop. Lightning's
/// [`ThroughputMonitor`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ThroughputMonitor.html).
///
/// The names are those of [`Throughput::compute`] with the loop as a prefix: `train/device/samples_per_sec`, and
/// `validate/…`, `test/…` and `predict/…`. Rows are written every `log_every_n_steps`; they contain rates after as many
/// batches as the window has. Training time does not include validation.
///
/// On the CPU a batch is complete when its step returns, and the window is exact. On other devices the monitor synchronizes
/// only when it writes a row, and the window begins at the last row before its first batch: it can be longer by up to
/// `log_every_n_steps` batches.
///
/// Checkpoints contain the totals of training: a resumed run continues from them.
///
/// ```
/// use tch_lightning::callbacks::ThroughputMonitor;
/// use tch_lightning::prelude::*;
///
/// type Texts = (Tensor, Tensor);
///
/// let monitor = ThroughputMonitor::<Texts>::new()
///     .length_fn(|(tokens, _)| tokens.numel())
///     .flops_per_batch(3_000_000_000)
///     .available_flops(9.89e14);
/// ```
pub struct ThroughputMonitor<B: Batch> {
    throughput: Throughput,
    batch_size_fn: Box<SizeFn<B>>,
    length_fn: Option<Box<SizeFn<B>>>,
    flops_per_batch: Option<u64>,
    measures_flops: bool,
    train: Meter,
    validate: Meter,
    test: Meter,
    predict: Meter,
    /// The totals of training before the run was resumed.
    before: Counted,
}

impl<B: Batch> ThroughputMonitor<B> {
    /// Creates a monitor with a window of 100 batches, which counts the samples of a batch by its
    /// [`batch_size`](Batch::batch_size).
    pub fn new() -> Self {
        let throughput = Throughput::new();
        let meter = || Meter::new(throughput.clone());
        Self {
            batch_size_fn: Box::new(|batch| batch.batch_size().unwrap_or(1)),
            length_fn: None,
            flops_per_batch: None,
            measures_flops: false,
            train: meter(),
            validate: meter(),
            test: meter(),
            predict: meter(),
            throughput,
            before: Counted::default(),
        }
    }

    /// Sets the function that counts the samples of a batch.
    pub fn batch_size_fn(self, batch_size: impl FnMut(&B) -> usize + 'static) -> Self {
        Self { batch_size_fn: Box::new(batch_size), ..self }
    }

    /// Sets the function that counts the items in the samples of a batch, such as tokens. By default they are not counted.
    pub fn length_fn(self, length: impl FnMut(&B) -> usize + 'static) -> Self {
        Self { length_fn: Some(Box::new(length)), ..self }
    }

    /// Sets the number of floating-point operations of a batch, including the backward pass, which `flops_per_sec` requires.
    pub fn flops_per_batch(self, flops: u64) -> Self {
        Self { flops_per_batch: Some(flops), ..self }
    }

    /// Sets whether the floating-point operations of a training batch are measured in the first one, for `train/device/flops_per_sec`
    /// without [`flops_per_batch`](Self::flops_per_batch): those that [`ModelSummary`](super::ModelSummary) shows. Default false.
    pub fn measure_flops(self, measures_flops: bool) -> Self {
        Self { measures_flops, ..self }
    }

    /// Sets the device's peak floating-point operations per second, which `mfu` requires.
    pub fn available_flops(self, flops: f64) -> Self {
        Self { throughput: self.throughput.available_flops(flops), ..self }
    }

    /// Sets the number of batches, at least 2, over which rates are computed. Default 100.
    pub fn window_size(self, window_size: usize) -> Self {
        Self { throughput: self.throughput.window_size(window_size), ..self }
    }

    fn meter(&mut self, stage: RunningStage) -> &mut Meter {
        match stage {
            RunningStage::Training => &mut self.train,
            RunningStage::Validating | RunningStage::SanityChecking => &mut self.validate,
            RunningStage::Testing => &mut self.test,
            RunningStage::Predicting => &mut self.predict,
        }
    }

    /// Counts a batch, whose floating-point operations were `measured` if they are not given.
    fn count(&mut self, stage: RunningStage, batch: &B, measured: Option<u64>) {
        let seen = ThroughputTotals {
            batches: 1,
            samples: (self.batch_size_fn)(batch) as u64,
            lengths: self.length_fn.as_mut().map(|length| length(batch) as u64),
            flops: self.flops_per_batch.or(measured),
        };
        self.meter(stage).count(seen);
    }

    /// Records the time after a batch, if the device has completed it; for a row, synchronizes with the device first.
    fn measure(&mut self, ctx: &RunContext, is_row: bool) -> Result<()> {
        if is_row {
            synchronize(ctx.device())?;
        }
        if is_row || ctx.device() == Device::Cpu {
            self.meter(ctx.running_stage()).update();
        }
        Ok(())
    }

    /// Counts a batch of an evaluation or of a prediction.
    fn after_batch(&mut self, ctx: &mut RunContext, batch: &B, name: &str) -> Result<()> {
        let stage = ctx.running_stage();
        if stage == RunningStage::SanityChecking {
            return Ok(());
        }
        self.count(stage, batch, None);
        let is_row = ctx.should_update_logs();
        self.measure(ctx, is_row)?;
        if is_row {
            let meter = self.meter(stage);
            ctx.log_to_loggers(&meter.metrics(name), meter.batches())?;
        }
        Ok(())
    }
}

impl<B: Batch> Default for ThroughputMonitor<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Batch> fmt::Debug for ThroughputMonitor<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThroughputMonitor").field("throughput", &self.throughput).finish_non_exhaustive()
    }
}

impl<M: LightningModule> Callback<M> for ThroughputMonitor<M::Batch> {
    fn name(&self) -> &'static str {
        "ThroughputMonitor"
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, _: Stage) -> Result<()> {
        for meter in [&mut self.train, &mut self.validate, &mut self.test, &mut self.predict] {
            *meter = Meter::new(self.throughput.clone());
        }
        self.before = Counted::default();
        Ok(())
    }

    fn on_train_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.train.start_after(std::mem::take(&mut self.before));
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, module: &mut M, _: &M::Batch, _: usize) -> Result<()> {
        if self.measures_flops && self.flops_per_batch.is_none() {
            ctx.observe_step(|| module.parameters().variables());
        }
        Ok(())
    }

    /// Measures after the optimizer step, so that the time of the batch includes it.
    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TrainingOutput,
        batch: &M::Batch,
        _: usize,
    ) -> Result<()> {
        let measured = ctx.observed_step().filter(|_| self.measures_flops).map(|step| step.flops);
        self.count(RunningStage::Training, batch, measured);
        let is_row = ctx.should_update_logs() && ctx.steps_after_this_batch();
        self.measure(ctx, is_row)?;
        if is_row {
            let step = ctx.logged_step();
            ctx.write_row(self.train.metrics("train"), step)?;
        }
        Ok(())
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        Ok(json::to_value(&self.train.counted())?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        self.before = json::from_value(state_dict)?;
        Ok(())
    }

    fn on_validation_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.train.pause();
        self.validate.start();
        Ok(())
    }

    fn on_validation_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::ValidationOutput,
        batch: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.after_batch(ctx, batch, "validate")
    }

    fn on_validation_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.train.resume();
        Ok(())
    }

    fn on_test_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.test.start();
        Ok(())
    }

    fn on_test_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TestOutput,
        batch: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.after_batch(ctx, batch, "test")
    }

    fn on_predict_start(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.predict.start();
        Ok(())
    }

    fn on_predict_batch_end(
        &mut self,
        ctx: &mut Context<Outside>,
        _: &mut M,
        _: &M::Prediction,
        batch: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.after_batch(ctx, batch, "predict")
    }
}
