//! The end of a program without libtorch's static destructors.

use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn _exit(status: c_int) -> !;
}

/// Ends the process before libtorch removes its thousands of operators one by one, which takes 0.2 s, a third of a short program. The tests start
/// programs a thousand times. The programs of the examples and of the README end as all others do.
pub fn skip_static_destructors() {
    extern "C" fn end(status: c_int, _: *mut c_void) {
        // SAFETY: it does not return and has no other requirements; Rust has flushed its standard streams before `exit` calls this
        unsafe { _exit(status) }
    }
    // SAFETY: `end` may be called at any time, and does not read its argument. The newest function is called first, before those that libtorch
    // has registered when it was loaded.
    unsafe { on_exit(end, std::ptr::null_mut()) };
}
