//! What ends a run from outside of its hooks: signals, and panics.

use crate::config::TrainerConfig;
use crate::context::RunContext;
use crate::error::Error;
use crate::signal::Signals;

/// The signals that end a run from now on.
pub(super) fn catch_signals(config: &TrainerConfig) -> Result<Signals, Error> {
    if !config.handle_signals {
        return Ok(Signals::default());
    }
    Signals::catch().map_err(|error| {
        Error::configuration(format!("the signals can't be handled ({error}): set `handle_signals` to false"))
    })
}

/// The error of a run in which something other than a hook panicked.
pub(super) fn panicked(ctx: &RunContext, panic: &anyhow::Error) -> Error {
    let epoch = ctx.running_epoch();
    Error::Panic {
        stage: ctx.stage(),
        running_stage: ctx.running_stage(),
        epoch,
        batch_idx: ctx.batch_idx(),
        message: panic.to_string(),
    }
}
