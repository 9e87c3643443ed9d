//! The edge between the loops and users' code: where an error or a panic in a hook gets its place.

use crate::context::Context;
use crate::error::{Error, HookError, in_one_line};
use crate::hook::Hook;
use crate::native::without_backtrace;
use anyhow::Result;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside a hook, whose panics become errors.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic inside a hook happened.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls a hook of the module or the data module.
pub(crate) fn module<T>(
    hook: Hook,
    ctx: &mut Context,
    call: impl FnOnce(&mut Context) -> Result<T>,
) -> std::result::Result<T, Error> {
    run(hook, None, ctx, call)
}

/// Calls a hook of a callback.
pub(crate) fn callback<T>(
    hook: Hook,
    name: &'static str,
    ctx: &mut Context,
    call: impl FnOnce(&mut Context) -> Result<T>,
) -> std::result::Result<T, Error> {
    run(hook, Some(name), ctx, call)
}

fn run<T>(
    hook: Hook,
    callback: Option<&'static str>,
    ctx: &mut Context,
    call: impl FnOnce(&mut Context) -> Result<T>,
) -> std::result::Result<T, Error> {
    let outer = ctx.hook.replace(hook);
    let was_inside = INSIDE.replace(true);
    // what a panic leaves half-done is never looked at again: the run ends with the error
    let outcome = catch_unwind(AssertUnwindSafe(|| call(ctx)));
    INSIDE.set(was_inside);
    ctx.hook = outer;
    let refused = ctx.refused_log.take();
    match outcome {
        Ok(Ok(value)) => match refused {
            None => Ok(value),
            Some(message) => Err(placed(hook, callback, ctx, message, None)),
        },
        Ok(Err(error)) => Err(from_error(hook, callback, ctx, error)),
        Err(panic) => {
            let message = panic_message(panic.as_ref());
            Err(placed(hook, callback, ctx, message, None))
        }
    }
}

fn from_error(hook: Hook, callback: Option<&'static str>, ctx: &Context, error: anyhow::Error) -> Error {
    // an error that came through an inner hook knows its place already
    match error.downcast::<Error>() {
        Ok(inner) => inner,
        Err(error) => {
            let message = in_one_line(&error);
            placed(hook, callback, ctx, message, Some(error))
        }
    }
}

fn placed(
    hook: Hook,
    callback: Option<&'static str>,
    ctx: &Context,
    message: String,
    source: Option<anyhow::Error>,
) -> Error {
    let (stage, epoch, batch_idx) = (ctx.stage, ctx.current_epoch, ctx.batch_idx);
    Error::Hook(Box::new(HookError { hook, callback, stage, epoch, batch_idx, message, source }))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = readable(text.unwrap_or("a panic without a message"));
    match PANICKED_AT.take() {
        Some(place) => format!("{text} (panicked at {place})"),
        None => text,
    }
}

/// tch unwraps libtorch's exceptions, which puts them, escaped, in the middle of a panic's text.
fn readable(text: &str) -> String {
    let torch = text.split_once("Torch(\"").map_or(text, |(_, message)| message);
    without_backtrace(torch).replace("\\n", " ").replace("\\\"", "\"")
}

/// Keeps panics inside of hooks from being printed as well: they are reported as errors. Others go the way they went.
pub(crate) fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if INSIDE.get() {
                PANICKED_AT.set(panic.location().map(ToString::to_string));
            } else {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainerConfig;

    fn failing(call: impl FnOnce(&mut Context) -> Result<()>) -> String {
        quiet_panics();
        let mut ctx = Context::new(TrainerConfig::default());
        ctx.current_epoch = 2;
        ctx.batch_idx = Some(5);
        module(Hook::TrainingStep, &mut ctx, call).unwrap_err().to_string()
    }

    #[test]
    fn an_error_gets_its_place() {
        let said = failing(|_| anyhow::bail!("no labels"));
        assert_eq!(said, "`training_step` failed in `fit` at epoch 2, batch 5: no labels");
    }

    #[test]
    fn libtorchs_panics_lose_their_backtrace() {
        let said = failing(|_| {
            let _ = tch::Tensor::from_slice(&[1.0, 2.0]) + tch::Tensor::from_slice(&[1.0, 2.0, 3.0]);
            Ok(())
        });
        assert!(said.contains("The size of tensor a (2) must match the size of tensor b (3)"), "{said}");
        assert!(!said.contains("Exception raised") && !said.contains('\n'), "{said}");
    }

    #[test]
    fn an_inner_hooks_error_keeps_its_place() {
        let said = failing(|ctx| Ok(callback(Hook::OnBeforeBackward, "Watch", ctx, |_| anyhow::bail!("too late"))?));
        assert_eq!(said, "`on_before_backward` of the callback Watch failed in `fit` at epoch 2, batch 5: too late");
    }

    #[test]
    fn logging_outside_of_an_epoch_is_refused() {
        quiet_panics();
        let mut ctx = Context::new(TrainerConfig::default());
        let said = module(Hook::OnFitStart, &mut ctx, |ctx| {
            ctx.log("loss", 1.0);
            Ok(())
        });
        let said = said.unwrap_err().to_string();
        assert!(said.contains("nothing can be logged in `on_fit_start`"), "{said}");
    }
}
