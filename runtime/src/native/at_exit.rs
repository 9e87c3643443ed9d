//! Functions that run when the program ends: after `main`, or by [`exit`](std::process::exit).

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::ffi::{c_int, c_void};
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    // in glibc's `stdlib.h`
    fn on_exit(call: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// A function, whose argument is the exit code where the system passes it.
type Call = fn(Option<i32>);

/// The functions, which are called in the reverse order.
static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

/// Runs a function when the program ends.
pub(crate) fn at_exit(call: Call) {
    static ONCE: Once = Once::new();
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    ONCE.call_once(register);
}

/// Ends the process without running these functions.
pub(crate) fn exit_at_once(code: i32) -> ! {
    let _ = io::stdout().flush();
    // SAFETY: the function can be called at any time, from any thread.
    unsafe { libc::_exit(code) }
}

/// For tests: ends the process before libtorch removes its thousands of operators one by one, which takes 0.2 s, a third of a short program.
/// What is registered later still runs. Has an effect with glibc alone, which passes the exit code.
pub(crate) fn skip_static_destructors() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        extern "C" fn end(code: c_int, _: *mut c_void) {
            exit_at_once(code);
        }
        // SAFETY: as in `register`.
        unsafe { on_exit(end, std::ptr::null_mut()) };
    }
}

/// Lets this process continue when the thread ends that has started it, if it is stopped then: otherwise nobody would do so.
pub(crate) fn continue_at_end_of_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: the call sets a number of this process.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGCONT);
    }
}

fn run(code: Option<i32>) {
    let calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for call in calls.into_iter().rev() {
        call(code);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn register() {
    extern "C" fn call(code: c_int, _: *mut c_void) {
        run(Some(code));
    }
    // SAFETY: the function has the signature that glibc declares, and cannot unwind as it is `extern "C"`. Where it cannot be registered, it
    // is not run.
    unsafe { on_exit(call, std::ptr::null_mut()) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn register() {
    extern "C" fn call() {
        run(None);
    }
    // SAFETY: as above, without arguments.
    unsafe { libc::atexit(call) };
}
