//! Validation and testing: the same loop with other hooks.

use super::batches;
use crate::data::{Batch, DataLoaders};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, LightningModuleTable, ModelHooksTable, Running};
use crate::stage::RunningStage;
use tch::no_grad;

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Validation,
    Test,
}

/// An evaluation over one or more loaders, which are made at its first run and kept.
pub(crate) struct Evaluation<M: LightningModule> {
    kind: Kind,
    loaders: Option<DataLoaders<M::Batch>>,
}

impl<M: LightningModule> Evaluation<M> {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, loaders: None }
    }

    /// Makes the loaders, if they are not there yet.
    pub(crate) fn load(&mut self, running: &mut Running<'_, M>) -> Result<(), Error> {
        if self.loaders.is_none() {
            let hook = self.kind.dataloader();
            self.loaders = Some(running.data.evaluation_dataloaders(hook, running.module, running.ctx)?);
        }
        Ok(())
    }

    /// Runs over at most `limit` batches of each loader, without gradients. Returns what was logged for the epoch.
    pub(crate) fn run(
        &mut self,
        running: &mut Running<'_, M>,
        limit: Option<usize>,
    ) -> Result<Vec<(String, f64)>, Error> {
        self.load(running)?;
        let Some(loaders) = &self.loaders else { return Ok(Vec::new()) };
        running.ctx.evaluation_log.clear();
        let kind = self.kind;
        no_grad(|| {
            kind.start(running)?;
            for (dataloader_idx, loader) in loaders.iter().enumerate() {
                running.ctx.dataloader_idx = (loaders.len() > 1).then_some(dataloader_idx);
                for batch in batches::of_epoch(loader, kind.dataloader(), 0, batches::count(loader, limit))? {
                    let (batch_idx, batch) = batch?;
                    kind.advance(running, batch, batch_idx, dataloader_idx)?;
                }
            }
            running.ctx.dataloader_idx = None;
            kind.end(running)
        })
    }
}

impl Kind {
    fn dataloader(self) -> Hook {
        match self {
            Self::Validation => Hook::ValDataloader,
            Self::Test => Hook::TestDataloader,
        }
    }

    fn start<M: LightningModule>(self, running: &mut Running<'_, M>) -> Result<(), Error> {
        match self {
            Self::Validation => {
                ModelHooksTable::on_validation_model_eval(running.module, running.ctx)?;
                running.on_validation_start()?;
                running.on_validation_epoch_start()
            }
            Self::Test => {
                ModelHooksTable::on_test_model_eval(running.module, running.ctx)?;
                running.on_test_start()?;
                running.on_test_epoch_start()
            }
        }
    }

    fn advance<M: LightningModule>(
        self,
        running: &mut Running<'_, M>,
        batch: M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<(), Error> {
        let training_batch = running.ctx.batch_idx.replace(batch_idx);
        running.ctx.batch_size = batch.batch_size().unwrap_or(1);
        let batch = running.transfer(batch, dataloader_idx)?;
        match self {
            Self::Validation => {
                running.on_validation_batch_start(&batch, batch_idx, dataloader_idx)?;
                let output = LightningModuleTable::validation_step(
                    running.module,
                    running.ctx,
                    &batch,
                    batch_idx,
                    dataloader_idx,
                )?;
                running.on_validation_batch_end(&output, &batch, batch_idx, dataloader_idx)?;
            }
            Self::Test => {
                running.on_test_batch_start(&batch, batch_idx, dataloader_idx)?;
                let output =
                    LightningModuleTable::test_step(running.module, running.ctx, &batch, batch_idx, dataloader_idx)?;
                running.on_test_batch_end(&output, &batch, batch_idx, dataloader_idx)?;
            }
        }
        log_step(running, batch_idx)?;
        running.ctx.batch_idx = training_batch;
        Ok(())
    }

    fn end<M: LightningModule>(self, running: &mut Running<'_, M>) -> Result<Vec<(String, f64)>, Error> {
        match self {
            Self::Validation => {
                running.on_validation_epoch_end()?;
                let logged = running.ctx.end_logged_epoch()?;
                running.on_validation_end()?;
                ModelHooksTable::on_validation_model_train(running.module, running.ctx)?;
                Ok(logged)
            }
            Self::Test => {
                running.on_test_epoch_end()?;
                let logged = running.ctx.end_logged_epoch()?;
                running.on_test_end()?;
                ModelHooksTable::on_test_model_train(running.module, running.ctx)?;
                Ok(logged)
            }
        }
    }
}

/// Writes what was logged with `on_step`: a row for each batch.
fn log_step<M: LightningModule>(running: &mut Running<'_, M>, batch_idx: usize) -> Result<(), Error> {
    if running.ctx.running_stage == RunningStage::SanityChecking || running.ctx.loggers.is_empty() {
        return Ok(());
    }
    let row = running.ctx.evaluation_log.step_row();
    running.ctx.write_row(row, batch_idx)
}
