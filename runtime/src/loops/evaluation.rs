//! The loop of validation and testing, which differ only in their hooks.

use super::batches::{self, EpochBatch};
use crate::config::BatchLimit;
use crate::data::{Batch, DataLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::log::Metrics;
use crate::module::{LightningModule, LightningModuleTable, ModelHooksTable, Run};
use crate::profiler::Region;
use crate::stage::{RunningStage, Stage};
use crate::strategy::Operation;
use crate::training_mode::TrainingMode;
use tch::no_grad_guard;

/// The kind of evaluation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Validation,
    Test,
}

/// An evaluation over one or more loaders, which are made at its first run and kept until they must be made again.
pub(crate) struct Evaluation<M: LightningModule> {
    kind: Kind,
    loaders: Option<Loaded<M>>,
    /// The epoch in which the loaders were made.
    made_at: Option<usize>,
}

/// The loaders, with the number of batches to take from each.
struct Loaded<M: LightningModule> {
    loaders: Vec<DataLoader<M::Batch>>,
    counts: Vec<Option<usize>>,
    /// Whether no process has a batch.
    are_empty: bool,
}

impl<M: LightningModule> Evaluation<M> {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, loaders: None, made_at: None }
    }

    /// Makes the loaders, if they do not exist yet or must be made again. `counts` is true if they are for the running
    /// epoch; false in the sanity check of an epoch without validation.
    pub(crate) fn load(&mut self, run: &mut Run<'_, M>, counts: bool) -> Result<(), Error> {
        let current_epoch = run.ctx.current_epoch();
        let are_outdated = batches::are_outdated(run.ctx, run.ctx.progress().val_loaded_at());
        if counts && batches::count_as_made(run.ctx, run.ctx.progress().val_loaded_at()) {
            run.ctx.progress_mut().set_val_loaded();
        }
        if self.loaders.is_some() && (!are_outdated || self.made_at == Some(current_epoch)) {
            return Ok(());
        }
        let is_first = self.made_at.replace(current_epoch).is_none();
        let hook = self.kind.dataloader();
        let limit = self.kind.limit(run);
        let mut loaders = Vec::from(run.data.evaluation_dataloaders(hook, run.module, run.ctx)?);
        if self.kind == Kind::Validation && run.ctx.stage() == Stage::Fit {
            loaders.iter_mut().for_each(|loader| batches::overfit(run.ctx, hook, loader));
        }
        if is_first {
            batches::warn_if_repeated(run.ctx, hook, &loaders);
        }
        let loaders = batches::of_processes(run.ctx, hook, loaders)?;
        let counts = loaders.iter().map(|loader| batches::count(loader, hook, limit)).collect::<Result<Vec<_>, _>>()?;
        batches::warn_if_empty(hook, &counts, limit);
        if self.kind == Kind::Validation {
            run.ctx.set_num_val_batches(&counts);
        }
        // all take part in the operations of an evaluation, also with a sampler that leaves one without batches
        let are_empty = !run.ctx.any_rank(Operation::Batches, counts.iter().any(|count| *count != Some(0)))?;
        self.loaders = Some(Loaded { loaders, counts, are_empty });
        Ok(())
    }

    /// Makes the loaders and runs over them.
    pub(crate) fn run_alone(&mut self, run: &mut Run<'_, M>) -> Result<Metrics, Error> {
        if self.kind.limit(run).is_zero() {
            return Ok(Metrics::default());
        }
        self.load(run, true)?;
        Ok(self.run(run, None)?.into_iter().collect())
    }

    /// Whether the loaders exist.
    pub(crate) fn is_loaded(&self) -> bool {
        self.loaders.is_some()
    }

    /// Runs over the loaders, at most over `sanity` batches of each, without gradients. Returns the logged values of the epoch.
    pub(crate) fn run(&mut self, run: &mut Run<'_, M>, sanity: Option<usize>) -> Result<Vec<(String, f64)>, Error> {
        let Some(Loaded { loaders, counts, are_empty }) = &self.loaders else { return Ok(Vec::new()) };
        if run.ctx.is_together() {
            // those of batch normalization; an evaluation does not change them
            run.ctx.strategy_mut().send_buffers()?;
        }
        let counts: Vec<_> = counts.iter().map(|count| smaller(*count, sanity)).collect();
        let is_known_as_empty = counts.iter().all(|count| *count == Some(0));
        if *are_empty || sanity == Some(0) {
            return Ok(Vec::new());
        }
        run.ctx.active_log().begin_epoch();
        let kind = self.kind;
        // some validation data is shuffled by the progress of training
        let epoch = run.ctx.progress().current_epoch();
        let _no_grad = no_grad_guard();
        let mode = TrainingMode::enter(false);
        run.ctx.set_evaluation_batches(counts.iter().copied().sum());
        kind.start(run)?;
        let mut done = 0;
        for (dataloader_idx, (loader, count)) in loaders.iter().zip(counts).enumerate() {
            if count == Some(0) && run.ctx.is_together() {
                // other processes may have batches of it
                continue;
            }
            run.ctx.set_dataloader_idx((loaders.len() > 1).then_some(dataloader_idx));
            let mut batches = batches::of_evaluation(run, (kind.dataloader(), dataloader_idx), loader, epoch, count)?;
            let waiting = Region::waiting_for(kind.dataloader());
            loop {
                if run.ctx.stage() != Stage::Fit {
                    run.ctx.begin_profiler_step();
                }
                let Some(batch) = run.measured(waiting, |_| batches.next()) else { break };
                let EpochBatch { batch, batch_idx, .. } = batch?;
                kind.advance(run, batch, batch_idx, dataloader_idx)?;
                done += 1;
                run.ctx.show_evaluation(done);
                run.ctx.check_signals(Some(batch_idx))?;
                run.ctx.check_others()?;
            }
        }
        run.ctx.set_dataloader_idx(None);
        batches::warn_if_no_batch(kind.dataloader(), done == 0 && !is_known_as_empty);
        kind.end(run, mode)
    }
}

fn smaller(count: Option<usize>, limit: Option<usize>) -> Option<usize> {
    match (count, limit) {
        (Some(count), Some(limit)) => Some(count.min(limit)),
        (one, other) => one.or(other),
    }
}

// The hooks of each kind are named here, although their names differ in one word: a loop is where the order of hooks is written, and
// names that a macro puts together could not be searched for.
impl Kind {
    fn dataloader(self) -> Hook {
        match self {
            Self::Validation => Hook::ValDataloader,
            Self::Test => Hook::TestDataloader,
        }
    }

    fn limit<M: LightningModule>(self, run: &Run<'_, M>) -> BatchLimit {
        match self {
            Self::Validation => run.ctx.config().limit_val_batches,
            Self::Test => run.ctx.config().limit_test_batches,
        }
    }

    fn start<M: LightningModule>(self, run: &mut Run<'_, M>) -> Result<(), Error> {
        match self {
            Self::Validation => {
                ModelHooksTable::on_validation_model_eval(run.module, run.ctx)?;
                run.on_validation_start()?;
                run.on_validation_epoch_start()
            }
            Self::Test => {
                ModelHooksTable::on_test_model_eval(run.module, run.ctx)?;
                run.on_test_start()?;
                run.on_test_epoch_start()
            }
        }
    }

    fn advance<M: LightningModule>(
        self,
        run: &mut Run<'_, M>,
        batch: M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<(), Error> {
        let training_batch = run.ctx.enter_batch(batch_idx, batch.batch_size());
        let index = run.ctx.dataloader_idx();
        run.ctx.active_log().begin_evaluated_batch(index);
        let batch = run.transfer(batch, dataloader_idx)?;
        match self {
            Self::Validation => {
                run.on_validation_batch_start(&batch, batch_idx, dataloader_idx)?;
                let module = &mut *run.module;
                let output = run.ctx.under_autocast(|ctx| {
                    LightningModuleTable::validation_step(module, ctx, &batch, batch_idx, dataloader_idx)
                })?;
                run.on_validation_batch_end(&output, &batch, batch_idx, dataloader_idx)?;
            }
            Self::Test => {
                run.on_test_batch_start(&batch, batch_idx, dataloader_idx)?;
                let module = &mut *run.module;
                let output = run.ctx.under_autocast(|ctx| {
                    LightningModuleTable::test_step(module, ctx, &batch, batch_idx, dataloader_idx)
                })?;
                run.on_test_batch_end(&output, &batch, batch_idx, dataloader_idx)?;
            }
        }
        log_step(run, batch_idx)?;
        run.ctx.leave_batch(training_batch);
        Ok(())
    }

    /// Calls the last hooks. The mode before the evaluation is restored for the last one, which may change it.
    fn end<M: LightningModule>(self, run: &mut Run<'_, M>, mode: TrainingMode) -> Result<Vec<(String, f64)>, Error> {
        match self {
            Self::Validation => {
                run.ctx.epoch_end_reached()?;
                run.on_validation_epoch_end()?;
                let logged = run.measured(Region::Logging, |run| run.ctx.end_logged_epoch())?;
                run.on_validation_end()?;
                drop(mode);
                ModelHooksTable::on_validation_model_train(run.module, run.ctx)?;
                Ok(logged)
            }
            Self::Test => {
                run.ctx.epoch_end_reached()?;
                run.on_test_epoch_end()?;
                let logged = run.measured(Region::Logging, |run| run.ctx.end_logged_epoch())?;
                run.on_test_end()?;
                drop(mode);
                ModelHooksTable::on_test_model_train(run.module, run.ctx)?;
                Ok(logged)
            }
        }
    }
}

/// Writes the values logged with `on_step`, one row for each batch.
fn log_step<M: LightningModule>(run: &mut Run<'_, M>, batch_idx: usize) -> Result<(), Error> {
    if run.ctx.running_stage() == RunningStage::SanityChecking || run.ctx.loggers_mut().is_empty() {
        return Ok(());
    }
    let dataloader_idx = run.ctx.dataloader_idx();
    run.measured(Region::Logging, |Run { ctx, .. }| {
        let row = ctx.active_log().step_row(dataloader_idx);
        Ok(ctx.write_row(row, batch_idx)?)
    })
}
