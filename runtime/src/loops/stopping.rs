//! When training ends.

use crate::context::{EndReason, Progress, RunContext};
use crate::error::Error;
use crate::module::LightningModule;

/// Whether `max_steps` is reached.
pub(super) fn steps_are_over(ctx: &RunContext) -> bool {
    ctx.config.steps().is_some_and(|steps| ctx.progress.global_step >= steps)
}

/// Whether a hook asked to stop, and `min_epochs` and `min_steps` allow it.
pub(super) fn is_stopped(ctx: &RunContext) -> bool {
    ctx.should_stop && ctx.can_stop_early()
}

/// Why there is no further epoch, if there is none.
pub(super) fn end_reason(ctx: &RunContext) -> Option<EndReason> {
    let steps = ctx.config.steps().filter(|_| steps_are_over(ctx)).map(EndReason::MaxSteps);
    let epochs =
        || ctx.config.epochs().filter(|epochs| ctx.progress.current_epoch >= *epochs).map(EndReason::MaxEpochs);
    steps.or_else(epochs).or_else(|| is_stopped(ctx).then(|| ctx.stopped()))
}

/// The training batches after which a run that only `max_steps` ends must have stepped an optimizer.
const BATCHES_WITHOUT_A_STEP: usize = 1_000;

/// Fails where a module that optimizes manually takes no step, and only steps could end the run.
pub(super) fn fail_without_steps<M: LightningModule>(ctx: &RunContext) -> Result<(), Error> {
    let Some(max_steps) = ctx.config.steps() else { return Ok(()) };
    let has_another_end = M::AUTOMATIC_OPTIMIZATION || ctx.config.epochs().is_some() || ctx.config.max_time.is_some();
    let Progress { global_step, total_batches_ready, .. } = ctx.progress;
    if has_another_end || global_step > 0 || total_batches_ready < BATCHES_WITHOUT_A_STEP {
        return Ok(());
    }
    Err(Error::Configuration(format!(
        "`max_steps` is {max_steps}, and `training_step` took no optimizer step in {total_batches_ready} batches: step with \
         `ctx.manual_step(self, 0)?`, or set `max_epochs`"
    )))
}
