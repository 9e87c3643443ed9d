/// Runs a function when the program ends: after `main`, or by [`exit`](std::process::exit).
#[cfg(unix)]
pub(crate) fn at_exit(call: extern "C" fn()) {
    // SAFETY: a function without arguments, which cannot unwind as it is `extern "C"`. Where it cannot be registered, it is not run.
    unsafe { libc::atexit(call) };
}

/// Other systems have nothing that runs then.
#[cfg(not(unix))]
pub(crate) fn at_exit(_: extern "C" fn()) {}
