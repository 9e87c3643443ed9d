//! The conditions for the end of training.

use crate::context::{EndReason, RunContext};
use crate::error::Error;

/// Whether `max_steps` has been reached.
pub(super) fn steps_are_over(ctx: &RunContext) -> bool {
    ctx.config().step_limit().is_some_and(|steps| ctx.progress().global_step() >= steps)
}

/// Whether a hook has requested a stop, and `min_epochs` and `min_steps` allow it.
pub(super) fn is_stopped(ctx: &RunContext) -> bool {
    ctx.is_to_stop() && ctx.can_stop_early()
}

/// The reason why no further epoch follows, if none does.
pub(super) fn end_reason(ctx: &RunContext) -> Option<EndReason> {
    let steps = ctx.config().step_limit().filter(|_| steps_are_over(ctx)).map(EndReason::MaxSteps);
    let epochs = || {
        ctx.config().epoch_limit().filter(|epochs| ctx.progress().current_epoch() >= *epochs).map(EndReason::MaxEpochs)
    };
    let stopped = || is_stopped(ctx).then(|| ctx.stopped());
    // the last epoch may have been cut short
    let stopped_within = || stopped().filter(|_| ctx.progress().is_cut_short());
    steps.or_else(stopped_within).or_else(epochs).or_else(stopped)
}

/// The training batches in which a run that only `max_steps` ends must step an optimizer.
const BATCHES_WITHOUT_A_STEP: usize = 1_000;

/// The last optimizer step, with the batches until then.
pub(super) struct LastStep {
    global_step: usize,
    batches: usize,
}

impl LastStep {
    pub(super) fn of(ctx: &RunContext) -> Self {
        Self { global_step: ctx.progress().global_step(), batches: ctx.progress().total_batches_ready() }
    }

    /// Fails if no more steps are taken, but only steps could end the run.
    pub(super) fn fail_without_steps(&mut self, ctx: &RunContext) -> Result<(), Error> {
        let Some(max_steps) = ctx.config().step_limit() else { return Ok(()) };
        let batches = ctx.progress().total_batches_ready().saturating_sub(self.batches);
        if ctx.progress().global_step() > self.global_step {
            *self = Self::of(ctx);
            return Ok(());
        }
        let has_another_end = ctx.config().epoch_limit().is_some() || ctx.config().max_time.is_some();
        if has_another_end || batches < BATCHES_WITHOUT_A_STEP {
            return Ok(());
        }
        Err(Error::configuration(format!(
            "`max_steps` is {max_steps}, but no optimizer step was taken in {batches} batches, so the run would never end: step an \
             optimizer, as with `ctx.manual_step(self, 0)?` in manual optimization, or set `max_epochs`"
        )))
    }
}
