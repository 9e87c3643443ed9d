//! Stepping of the learning-rate schedulers, by Lightning's rules and by intervals.

use crate::callbacks::NotLogged;
use crate::config::Every;
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{LightningModule, LightningModuleTable, Run, call_hook};
use crate::schedule::{Interval, LrSchedulerConfig, LrSchedulerIndex};
use crate::strategy::Operation;

/// The points of an epoch after which schedulers step. Those on a metric step after validation, and all others before it, as a
/// checkpoint may be written in between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SchedulePoint {
    /// After a training batch.
    Batch,
    /// After the validation that follows a batch, if there is one.
    Validation,
    /// After the last hooks of the epoch.
    Epoch,
}

/// Steps the schedulers that are due, each at most once per batch.
pub(super) fn update<M: LightningModule>(run: &mut Run<'_, M>, point: SchedulePoint) -> Result<(), Error> {
    if run.ctx.lr_schedulers().is_empty() || !M::AUTOMATIC_OPTIMIZATION {
        return Ok(());
    }
    for index in 0..run.ctx.lr_schedulers().len() {
        let scheduler = LrSchedulerIndex(index);
        let batches = run.ctx.total_batches();
        let was_done = run.ctx.lr_scheduler_clock(scheduler).was_done_after(batches);
        if !was_done && is_due(run.ctx, scheduler, point)? {
            step(run, scheduler)?;
            run.ctx.lr_scheduler_clock(scheduler).set_done_after(batches);
        }
    }
    Ok(())
}

fn is_due(ctx: &mut RunContext, index: LrSchedulerIndex, point: SchedulePoint) -> Result<bool, Error> {
    let has_stepped = ctx.steps_after_this_batch();
    let (progress, scheduler) = (ctx.progress(), &ctx.lr_schedulers()[index.0]);
    let LrSchedulerConfig { every, interval, frequency, .. } = *scheduler.config();
    let waits = scheduler.needs_metric();
    let after_batch = point == if waits { SchedulePoint::Validation } else { SchedulePoint::Batch };
    let after_epoch = if waits { point == SchedulePoint::Epoch } else { point == SchedulePoint::Batch };
    let after_epoch = after_epoch && progress.is_last_batch();
    Ok(match (every, interval) {
        (None, Interval::Step) => after_batch && has_stepped && progress.batches_ready().is_multiple_of(frequency),
        (None, Interval::Epoch) => after_epoch && (progress.current_epoch() + 1).is_multiple_of(frequency),
        (Some(Every::Epochs(epochs)), _) => after_epoch && (progress.current_epoch() + 1).is_multiple_of(epochs),
        (Some(Every::Batches(batches)), _) => after_batch && progress.total_batches_ready().is_multiple_of(batches),
        (Some(Every::OptimizerSteps(every)), _) if after_batch => {
            let steps = ctx.optimizers()[scheduler.optimizer().0].steps();
            let clock = ctx.lr_scheduler_clock(index);
            let is_due = clock.passes(steps, every as u64);
            clock.see(steps);
            is_due
        }
        (Some(Every::Time(time)), _) if after_batch => {
            let clock = ctx.lr_scheduler_clock(index);
            let own = clock.has_passed(time);
            // by the clock of one process, as those of several differ
            let is_due = ctx.of_rank_zero(Operation::Intervals, own)?;
            if is_due {
                ctx.lr_scheduler_clock(index).restart();
            }
            is_due
        }
        _ => false,
    })
}

fn step<M: LightningModule>(run: &mut Run<'_, M>, scheduler: LrSchedulerIndex) -> Result<(), Error> {
    let waiting = &run.ctx.lr_schedulers()[scheduler.0];
    let metric = match &waiting.config().monitor {
        Some(monitor) if waiting.needs_metric() => {
            let metrics = run.ctx.callback_metrics();
            let Some(metric) = metrics.get(monitor) else {
                let logged = metrics.keys().map(str::to_owned).collect();
                let missing = NotLogged { by: "ReduceLrOnPlateau", monitor: monitor.clone(), logged };
                return miss(run, waiting.config().strict, missing);
            };
            Some(metric)
        }
        _ => None,
    };
    LightningModuleTable::lr_scheduler_step(run.module, run.ctx, scheduler, metric)
}

fn miss<M: LightningModule>(run: &mut Run<'_, M>, strict: bool, missing: NotLogged) -> Result<(), Error> {
    if strict {
        return call_hook::in_place_of(Hook::LrSchedulerStep, run.ctx, |_| Err(missing.into()));
    }
    messages::warning!("{missing}");
    Ok(())
}
