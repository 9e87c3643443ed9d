//! Calls of user code by the loops, which add the location to errors and panics of hooks.

use crate::config::ConfigurationError;
use crate::context::RunContext;
use crate::error::{Error, HookError};
use crate::file_error::FileError;
use crate::hook::Hook;
use crate::loggers::LoggerError;
use crate::profiler::HookOwner;
use crate::run_location::{HookLocation, RunLocation};
use crate::{panic, users_line};
use anyhow::Result;
use tch::TchError;

/// Calls a hook of the module or the data module, whose type has the name `owner`.
pub(crate) fn module(
    hook: Hook,
    owner: &'static str,
    ctx: &mut RunContext,
    call: &mut dyn FnMut(&mut RunContext) -> Result<()>,
) -> std::result::Result<(), Error> {
    run(hook, Some(HookOwner::Module(owner)), ctx, call)
}

/// Calls a hook of the module or the data module that returns a value.
pub(crate) fn module_value<T>(
    hook: Hook,
    owner: &'static str,
    ctx: &mut RunContext,
    call: impl FnOnce(&mut RunContext) -> Result<T>,
) -> std::result::Result<T, Error> {
    run_for_value(hook, Some(HookOwner::Module(owner)), ctx, call)
}

/// Runs a part of the loops that fails as if a hook of the module did.
pub(crate) fn in_place_of<T>(
    hook: Hook,
    ctx: &mut RunContext,
    call: impl FnOnce(&mut RunContext) -> Result<T>,
) -> std::result::Result<T, Error> {
    run_for_value(hook, None, ctx, call)
}

/// Calls a hook of a callback.
pub(crate) fn callback(
    hook: Hook,
    name: &'static str,
    ctx: &mut RunContext,
    call: &mut dyn FnMut(&mut RunContext) -> Result<()>,
) -> std::result::Result<(), Error> {
    run(hook, Some(HookOwner::Callback(name)), ctx, call)
}

/// Calls a hook of a callback that returns a value.
pub(crate) fn callback_value<T>(
    hook: Hook,
    name: &'static str,
    ctx: &mut RunContext,
    call: impl FnOnce(&mut RunContext) -> Result<T>,
) -> std::result::Result<T, Error> {
    run_for_value(hook, Some(HookOwner::Callback(name)), ctx, call)
}

fn run_for_value<T>(
    hook: Hook,
    owner: Option<HookOwner>,
    ctx: &mut RunContext,
    call: impl FnOnce(&mut RunContext) -> Result<T>,
) -> std::result::Result<T, Error> {
    let (mut call, mut value) = (Some(call), None);
    run(hook, owner, ctx, &mut |ctx| {
        value = call.take().map(|call| call(ctx)).transpose()?;
        Ok(())
    })?;
    Ok(value.expect("a call that succeeds has set its value"))
}

// Takes no type parameter, so that it is compiled once, in this crate, and not for each hook of each program.
fn run(
    hook: Hook,
    owner: Option<HookOwner>,
    ctx: &mut RunContext,
    call: &mut dyn FnMut(&mut RunContext) -> Result<()>,
) -> std::result::Result<(), Error> {
    let outer = ctx.enter_hook(hook, owner);
    let callback = owner.and_then(HookOwner::callback);
    let location = panic::aborts().then(|| HookLocation { hook, callback, location: ctx.location() });
    let outcome = panic::catch_in_hook(location, || call(ctx));
    ctx.leave_hook(outer);
    match (outcome, ctx.take_refused_log()) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(refused)) => Err(failed(hook, callback, ctx, anyhow::Error::msg(refused))),
        (Err(error), _) => Err(failed(hook, callback, ctx, error)),
    }
}

fn failed(hook: Hook, callback: Option<&'static str>, ctx: &RunContext, error: anyhow::Error) -> Error {
    // an error of an inner hook already has its location
    of_run(error).unwrap_or_else(|error| located(hook, callback, ctx, error))
}

/// Returns an error that is complete without the hook in which it occurred.
fn of_run(error: anyhow::Error) -> Result<Error> {
    error
        .downcast::<Error>()
        .or_else(|error| error.downcast::<ConfigurationError>().map(Error::from))
        .or_else(|error| error.downcast::<LoggerError>().map(Error::from))
        .or_else(|error| error.downcast::<FileError>().map(Error::from))
}

fn located(hook: Hook, callback: Option<&'static str>, ctx: &RunContext, error: anyhow::Error) -> Error {
    let RunLocation { stage, epoch, batch_idx } = ctx.location();
    // messages of libtorch do not include the caller
    let line = error.is::<TchError>().then(|| users_line::of(error.backtrace())).flatten();
    let error = match line {
        Some(line) => error.context(format!("at {line}")),
        None => error,
    };
    Error::Hook(Box::new(HookError { hook, callback, stage, epoch, batch_idx, error }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainerConfig;
    use crate::context::phase::Step;

    fn failing(call: impl FnOnce(&mut RunContext) -> Result<()>) -> String {
        let mut ctx = RunContext::new(TrainerConfig::default());
        (0..2).for_each(|_| ctx.progress_mut().end_epoch());
        ctx.enter_epoch();
        ctx.enter_batch(5, None);
        module_value(Hook::TrainingStep, "Model", &mut ctx, call).unwrap_err().to_string()
    }

    #[test]
    fn hook_error_has_its_location() {
        let said = failing(|_| anyhow::bail!("no labels"));
        assert_eq!(said, "`training_step` failed in `fit` at epoch 2, batch 5: no labels");
    }

    #[test]
    fn hook_panic_has_its_location() {
        let said = failing(|_| panic!("no labels"));
        assert!(
            said.starts_with("`training_step` failed in `fit` at epoch 2, batch 5: no labels (panicked at "),
            "{said}"
        );
    }

    #[test]
    fn hook_error_outside_of_an_epoch_names_none() {
        let mut ctx = RunContext::new(TrainerConfig::default());
        let said =
            module(Hook::Setup, "Model", &mut ctx, &mut |_| anyhow::bail!("no such file")).unwrap_err().to_string();
        assert_eq!(said, "`setup` failed in `fit`: no such file");
    }

    #[test]
    fn inner_hook_error_keeps_its_location() {
        let said =
            failing(|ctx| Ok(callback(Hook::OnBeforeBackward, "Watch", ctx, &mut |_| anyhow::bail!("too late"))?));
        assert_eq!(said, "`on_before_backward` of the callback Watch failed in `fit` at epoch 2, batch 5: too late");
    }

    #[test]
    fn hook_that_logs_an_invalid_value_fails_when_it_returns() {
        let said = failing(|ctx| {
            ctx.at::<Step>().log("logits", tch::Tensor::from_slice(&[1.0, 2.0]));
            Ok(())
        });
        assert!(
            said.contains("batch 5: `logits` was logged with a tensor of shape [2]: one element can be logged"),
            "{said}"
        );
    }
}
