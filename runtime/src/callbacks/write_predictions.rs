//! Passes predictions to a writer.

use crate::context::phase::Outside;
use crate::context::{Context, RunContext};
use crate::module::{Callback, LightningModule};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// Stores predictions, for [`WritePredictions`]. Lightning's
/// [`BasePredictionWriter`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.BasePredictionWriter.html).
///
/// Implement the method that the interval requires, or both. If there are several processes, each has its own part of the samples, and its
/// writer is called with the predictions of that part: rank `r` of `n` has the samples `r`, `r + n`, … of each loader, each sample once.
/// Put the rank into the name of a file, as in `format!("predictions_{}.json", ctx.rank().global)`.
pub trait PredictionWriter<M: LightningModule>: 'static {
    /// Stores the prediction of one batch, returned by `predict_step`.
    ///
    /// # Errors
    /// The reason why it was not stored, which ends the run.
    #[allow(clippy::too_many_arguments, unused_variables)]
    fn write_on_batch_end(
        &mut self,
        ctx: &mut RunContext,
        module: &mut M,
        prediction: &M::Prediction,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        bail!(
            "the writer does not implement `write_on_batch_end`: implement it, or write all predictions at the end with \
             `WritePredictions::new(…).write_interval(WriteInterval::Epoch)`"
        )
    }

    /// Stores the predictions of all batches, loader by loader.
    ///
    /// # Errors
    /// The reason why they were not stored, which ends the run.
    #[allow(unused_variables)]
    fn write_on_epoch_end(
        &mut self,
        ctx: &mut RunContext,
        module: &mut M,
        predictions: &[M::Prediction],
    ) -> Result<()> {
        bail!(
            "the writer does not implement `write_on_epoch_end`, which its write interval requires: implement it, or set \
             `.write_interval(WriteInterval::Batch)`"
        )
    }
}

/// When predictions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WriteInterval {
    /// After each batch.
    #[default]
    Batch,
    /// After all batches.
    Epoch,
    /// After each batch, and after all batches.
    BatchAndEpoch,
}

/// Passes predictions to a [`PredictionWriter`] during `predict`, by default after each batch.
///
/// ```
/// use std::io::Write;
/// use tch_lightning::prelude::*;
/// use tch_lightning::{callbacks::{PredictionWriter, WriteInterval, WritePredictions}, Loaders, RunContext};
///
/// struct Doubler(nn::VarStore);
///
/// #[lightning_module]
/// impl Doubler {
///     fn parameters(&mut self) -> &mut nn::VarStore {
///         &mut self.0
///     }
///
///     fn predict_step(&self, batch: &Tensor) -> Tensor {
///         batch * 2.0
///     }
/// }
///
/// /// Writes a line for each batch.
/// struct Lines(Vec<u8>);
///
/// impl PredictionWriter<Doubler> for Lines {
///     fn write_on_epoch_end(&mut self, _: &mut RunContext, _: &mut Doubler, predictions: &[Tensor]) -> Result<()> {
///         for prediction in predictions {
///             writeln!(self.0, "{:?}", Vec::<f64>::try_from(prediction)?)?;
///         }
///         Ok(())
///     }
/// }
///
/// let rows = TensorDataset::new(Tensor::from_slice(&[1.0, 2.0, 3.0]))?;
/// let loader = DataLoader::new(rows).batch_size(2);
/// let write = WritePredictions::new(Lines(Vec::new())).write_interval(WriteInterval::Epoch);
/// let mut trainer = Doubler::trainer().callback(write);
/// trainer.predict(&mut Doubler(nn::VarStore::new(Device::Cpu)), Loaders::evaluation(loader))?;
///
/// let written = &trainer.find_callback::<WritePredictions<Lines>>().unwrap().writer().0;
/// assert_eq!(String::from_utf8_lossy(written), "[2.0, 4.0]\n[6.0]\n");
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct WritePredictions<W> {
    writer: W,
    interval: WriteInterval,
}

impl<W> WritePredictions<W> {
    /// Creates a callback that passes the prediction of each batch to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer, interval: WriteInterval::default() }
    }

    /// Sets when predictions are written.
    pub fn write_interval(self, interval: WriteInterval) -> Self {
        Self { interval, ..self }
    }

    /// Returns the writer.
    pub fn writer(&self) -> &W {
        &self.writer
    }
}

impl<M: LightningModule, W: PredictionWriter<M>> Callback<M> for WritePredictions<W> {
    fn name(&self) -> &'static str {
        "WritePredictions"
    }

    fn on_predict_batch_end(
        &mut self,
        ctx: &mut Context<Outside>,
        module: &mut M,
        outputs: &M::Prediction,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        match self.interval {
            WriteInterval::Epoch => Ok(()),
            WriteInterval::Batch | WriteInterval::BatchAndEpoch => {
                self.writer.write_on_batch_end(ctx, module, outputs, batch, batch_idx, dataloader_idx)
            }
        }
    }

    fn on_predict_epoch_end(
        &mut self,
        ctx: &mut Context<Outside>,
        module: &mut M,
        predictions: &[M::Prediction],
    ) -> Result<()> {
        match self.interval {
            WriteInterval::Batch => Ok(()),
            WriteInterval::Epoch | WriteInterval::BatchAndEpoch => {
                self.writer.write_on_epoch_end(ctx, module, predictions)
            }
        }
    }
}
