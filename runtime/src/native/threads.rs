//! The threads that libtorch uses within an operator on the CPU.

use libloading::os::unix::{Library, Symbol};
use std::ffi::c_int;
use std::sync::OnceLock;

/// Limits the operators that this thread calls to one thread. Other threads are not affected, whereas `tch::set_num_threads` would change
/// all threads that start later.
///
/// Does nothing if libtorch does not use OpenMP.
pub(crate) fn use_one_intraop_thread() {
    // a thread takes the program's number at its first query, which would undo the change below
    tch::get_num_threads();
    if let Some(set_num_threads) = set_num_threads_of_this_thread() {
        // SAFETY: OpenMP declares it as `void omp_set_num_threads(int)`, and it affects only the calling thread.
        unsafe { set_num_threads(1) };
    }
}

/// Returns OpenMP's `omp_set_num_threads` of the library that libtorch loaded.
fn set_num_threads_of_this_thread() -> Option<unsafe extern "C" fn(c_int)> {
    static FOUND: OnceLock<Option<unsafe extern "C" fn(c_int)>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let program = Library::this();
        // SAFETY: every OpenMP library has this function with this signature, and it stays loaded with libtorch.
        let found: Result<Symbol<unsafe extern "C" fn(c_int)>, _> = unsafe { program.get(b"omp_set_num_threads\0") };
        found.ok().map(|symbol| *symbol)
    })
}
