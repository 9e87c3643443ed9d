//! The threads among which libtorch shares out an operation on the CPU.

use libloading::os::unix::{Library, Symbol};
use std::ffi::c_int;
use std::sync::OnceLock;

/// Keeps operations that this thread calls on this thread alone. What other threads call is shared out as before, which
/// `tch::set_num_threads` would change for all that begin later.
///
/// Where libtorch does not use OpenMP, nothing happens.
pub(crate) fn use_one_intraop_thread() {
    // a thread takes over the program's number when it first asks for it, and would do so later otherwise
    tch::get_num_threads();
    if let Some(set_num_threads) = set_num_threads_of_this_thread() {
        // SAFETY: OpenMP declares it `void omp_set_num_threads(int)`, and that it concerns the calling thread alone.
        unsafe { set_num_threads(1) };
    }
}

/// OpenMP's `omp_set_num_threads`, of the library that libtorch has brought along.
fn set_num_threads_of_this_thread() -> Option<unsafe extern "C" fn(c_int)> {
    static FOUND: OnceLock<Option<unsafe extern "C" fn(c_int)>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let program = Library::this();
        // SAFETY: the name has one meaning in every OpenMP library, with this signature; it stays loaded with libtorch.
        let found: Result<Symbol<unsafe extern "C" fn(c_int)>, _> = unsafe { program.get(b"omp_set_num_threads\0") };
        found.ok().map(|symbol| *symbol)
    })
}
