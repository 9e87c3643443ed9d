//! Validation within training, and its schedule.

use super::evaluation::{Evaluation, Kind};
use super::stopping;
use crate::callbacks::warn_of_misspellings;
use crate::config::{Every, ValCheckInterval};
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{LightningModule, ModelHooksTable, Run};
use crate::native::RandomState;
use crate::profiler::Region;
use crate::stage::RunningStage;
use crate::strategy::Operation;

/// The validation of a `fit`.
pub(super) struct Validation<M: LightningModule> {
    evaluation: Evaluation<M>,
    /// The interval in batches; `None` if it is the epoch or has another unit.
    batches: Option<usize>,
}

impl<M: LightningModule> Validation<M> {
    /// Returns the validation within training, if there are both a `validation_step` and a `val_dataloader`.
    pub(super) fn of(run: &mut Run<'_, M>) -> Option<Self> {
        let has_step = <M as LightningModule>::TABLE.validation_step.is_some();
        if !has_step || run.ctx.config().limit_val_batches.is_zero() {
            return None;
        }
        if !run.data.has(Hook::ValDataloader) {
            messages::warning!("there is a `validation_step` but no `val_dataloader`: validation is skipped");
            return None;
        }
        run.ctx.see_validation_steps();
        Some(Self { evaluation: Evaluation::new(Kind::Validation), batches: None })
    }

    /// Runs the sanity check before training.
    pub(super) fn sanity_check(&mut self, run: &mut Run<'_, M>) -> Result<(), Error> {
        let batches = run.ctx.config().sanity_batches();
        if batches == Some(0) {
            return Ok(());
        }
        run.ctx.set_running_stage(RunningStage::SanityChecking);
        // the sanity check must not change the random numbers of the run
        let random_state = RandomState::of(run.ctx.device())?;
        run.callbacks.on_sanity_check_start(run.ctx, run.module)?;
        let logged = run.measured(Region::SanityCheck, |run| {
            self.load_early(run)?;
            self.evaluation.run(run, batches)
        })?;
        run.callbacks.on_sanity_check_end(run.ctx, run.module)?;
        random_state.restore()?;
        warn_of_misspellings(run.callbacks, run.ctx, logged);
        run.ctx.forget_logged();
        run.ctx.set_running_stage(RunningStage::Training);
        Ok(())
    }

    /// Makes the loaders of the first epoch's validation, so that their lengths are known when training begins.
    pub(super) fn begin(&mut self, run: &mut Run<'_, M>) -> Result<(), Error> {
        run.ctx.restart_validation_clock();
        if is_in_epoch(run.ctx) && !self.evaluation.is_loaded() {
            self.load_early(run)?;
        }
        Ok(())
    }

    /// Makes the loaders before the first validation. They count as made for the running epoch if it is validated, except in a
    /// resumed run that already had loaders: it makes them again when the original run would have.
    fn load_early(&mut self, run: &mut Run<'_, M>) -> Result<(), Error> {
        let counts = is_in_epoch(run.ctx) && run.ctx.progress().val_loaded_at().is_none();
        self.evaluation.load(run, counts)
    }

    /// Computes the interval for an epoch with the current number of batches.
    pub(super) fn measure(&mut self, ctx: &RunContext) -> Result<(), Error> {
        let interval = ctx.config().val_check_interval;
        let batches = ctx.num_training_batches();
        // a loader of unknown length may end before its limit
        let is_epoch = interval == ValCheckInterval::EPOCH_END && ctx.config().check_val_every_n_epoch.is_some();
        self.batches = if is_epoch { None } else { interval.batches(batches) };
        match (self.batches, batches) {
            (Some(interval), Some(batches)) if interval > batches && ctx.config().check_val_every_n_epoch.is_some() => {
                Err(Error::configuration(format!(
                    "`val_check_interval` is {interval} batches, but an epoch has {batches}: set it to at most {batches}, or set \
                     `check_val_every_n_epoch` to none to count over epochs"
                )))
            }
            (None, None) if matches!(interval, ValCheckInterval::Fraction(fraction) if fraction != 1.0) => {
                Err(Error::configuration(format!(
                    "`val_check_interval` is {interval} of an epoch, but the length of the training loader is unknown: set a \
                     number of batches"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether validation is due after the batch that has just ended.
    pub(super) fn is_due(&self, ctx: &RunContext) -> Result<bool, Error> {
        Ok(is_in_epoch(ctx) && (stopping::is_stopped(ctx) || self.interval_has_passed(ctx)?))
    }

    fn interval_has_passed(&self, ctx: &RunContext) -> Result<bool, Error> {
        let progress = ctx.progress();
        Ok(match ctx.config().val_check_interval {
            // by the clock of one process, as those of several differ
            ValCheckInterval::Every(Every::Time(time)) => {
                ctx.of_rank_zero(Operation::Intervals, ctx.validation_clock().has_passed(time))?
            }
            ValCheckInterval::Every(Every::Epochs(epochs)) => {
                progress.is_last_batch() && (progress.current_epoch() + 1).is_multiple_of(epochs)
            }
            ValCheckInterval::Every(Every::OptimizerSteps(steps)) => {
                ctx.validation_clock().passes(progress.global_step() as u64, steps as u64)
            }
            ValCheckInterval::Every(Every::Batches(_)) | ValCheckInterval::Fraction(_) => {
                let over_epochs = ctx.config().check_val_every_n_epoch.is_none();
                let ready = if over_epochs { progress.total_batches_ready() } else { progress.batches_ready() };
                self.batches.map_or(progress.is_last_batch(), |batches| ready.is_multiple_of(batches))
            }
        })
    }

    /// Validates. If the optimizer has just stepped, the gradients are cleared first.
    pub(super) fn run(&mut self, run: &mut Run<'_, M>, has_stepped: bool) -> Result<(), Error> {
        run.ctx.set_running_stage(RunningStage::Validating);
        if has_stepped {
            ModelHooksTable::on_validation_model_zero_grad(run.module, run.ctx)?;
        }
        self.evaluation.load(run, true)?;
        self.evaluation.run(run, None)?;
        run.ctx.end_validation();
        run.ctx.set_running_stage(RunningStage::Training);
        Ok(())
    }
}

/// Whether the running epoch is validated.
fn is_in_epoch(ctx: &RunContext) -> bool {
    let every = ctx.config().check_val_every_n_epoch;
    every.is_none_or(|epochs| (ctx.progress().current_epoch() + 1).is_multiple_of(epochs))
}
