//! When training ends.

use crate::context::RunContext;

/// Whether `max_steps` is reached.
pub(super) fn steps_are_over(ctx: &RunContext) -> bool {
    ctx.config.steps().is_some_and(|steps| ctx.progress.global_step >= steps)
}

/// Whether a hook asked to stop, and `min_epochs` and `min_steps` allow it.
pub(super) fn is_stopped(ctx: &RunContext) -> bool {
    ctx.should_stop && can_stop_early(ctx)
}

fn can_stop_early(ctx: &RunContext) -> bool {
    let steps = ctx.config.min_steps.unwrap_or(0);
    ctx.progress.current_epoch >= ctx.config.at_least_epochs() && ctx.progress.global_step >= steps
}

/// Whether there is no further epoch.
pub(super) fn epochs_are_over(ctx: &RunContext) -> bool {
    ctx.config.epochs().is_some_and(|epochs| ctx.progress.current_epoch >= epochs)
}
