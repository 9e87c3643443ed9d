//! The end of a run by a signal, or by a panic outside of its hooks.

use crate::config::TrainerConfig;
use crate::context::RunContext;
use crate::error::Error;
use crate::signal::Signals;

/// Starts handling the signals that end a run.
pub(super) fn catch_signals(config: &TrainerConfig) -> Result<Signals, Error> {
    if !config.handle_signals {
        return Ok(Signals::default());
    }
    Signals::catch().map_err(|error| {
        Error::configuration(format!("cannot install signal handlers ({error}): set `handle_signals` to false"))
    })
}

/// Returns the error of a run that panicked outside of its hooks.
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
