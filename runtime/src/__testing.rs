//! For the tests of this workspace: states of the machine that a test cannot create, and the order of all hooks.

/// Makes panics abort from now on, as in a program that is built with `panic = "abort"`.
pub fn abort_on_panics() {
    crate::panic::abort_from_now_on();
}

/// Makes the drawing of the dashboard panic from now on.
#[cfg(feature = "dashboard")]
pub fn panic_in_dashboard() {
    crate::dashboard::panic_from_now_on();
}

/// Makes the run look at losses as if they were on a GPU.
pub fn watch_losses_as_on_a_gpu(ctx: &mut crate::RunContext) {
    ctx.watch_losses_as_on_a_gpu();
}

/// Ends the process, when it ends, without libtorch's static destructors, which take a third of the time of a short program: the tests start
/// programs a thousand times. Those of the examples and of the README end as all others do.
pub fn skip_static_destructors() {
    crate::native::skip_static_destructors();
}

/// The hooks of a run of which each is overridden, as `hooks --plan` prints them.
pub fn plan_of_every_hook(stage: crate::Stage) -> String {
    crate::trainer::plan_of_every_hook(stage).to_string()
}
