//! The library with c10d's backend for GPUs, which is opened when several processes compute on GPUs.

use super::super::NativeError;
use super::super::boundary::check;
use super::super::library::open_libtorch_cuda;
use super::declarations::{CGpuBackend, CStore, NewGpuBackend};
use super::milliseconds;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::time::Duration;

/// Where the build script has written the library.
const LIBRARY: Option<&str> = option_env!("TCH_LIGHTNING_NCCL");

/// Why the build script has not written it.
const MISSING: Option<&str> = option_env!("TCH_LIGHTNING_NCCL_MISSING");

/// Creates c10d's `ProcessGroupNCCL` of the process `rank` of `size`.
///
/// # Errors
/// If the program was built without the library, or on a machine without GPUs.
pub(super) fn backend(
    store: *const CStore,
    prefix: &CStr,
    (rank, size): (u32, u32),
    timeout: Duration,
) -> Result<NonNull<CGpuBackend>, NativeError> {
    let new = entry_point().map_err(|reason| NativeError::of(&reason))?;
    let mut backend = ptr::null_mut();
    // SAFETY: the store, the text and the pointer are valid for the call; C++ keeps its own handle of the store.
    let message = unsafe { new(store, prefix.as_ptr(), rank, size, milliseconds(timeout), &raw mut backend) };
    // SAFETY: the answer is an entry point's.
    unsafe { check(message) }?;
    Ok(NonNull::new(backend).expect("a call that succeeded has stored the backend"))
}

/// Opens the library once.
fn entry_point() -> Result<NewGpuBackend, String> {
    static OPENED: OnceLock<Result<NewGpuBackend, String>> = OnceLock::new();
    OPENED.get_or_init(open).clone()
}

/// Returns the library that was built with this program.
///
/// # Errors
/// Why there is none, and how to build it.
pub(crate) fn nccl_library() -> Result<&'static str, String> {
    LIBRARY.ok_or_else(|| {
        let missing = MISSING.unwrap_or("its documentation needs none");
        format!(
            "the program was built without it, as {missing}: run `TCH_LIGHTNING_TORCH=cuda make setup`, and build the program again"
        )
    })
}

fn open() -> Result<NewGpuBackend, String> {
    let path = nccl_library()?;
    open_libtorch_cuda()?;
    let failed = |error: libloading::Error| format!("{path} cannot be opened: {error}");
    // SAFETY: the library has no constructors of its own, and its symbols are those of the libtorch that is open.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(failed)?;
    // SAFETY: a function with this name is of this type in `nccl/backend.cpp`, which declares it so.
    let new = unsafe { library.get::<NewGpuBackend>(b"lightning_new_gpu_backend") }.map_err(failed)?;
    let new = *new;
    // the function is used until the program ends
    std::mem::forget(library);
    Ok(new)
}
