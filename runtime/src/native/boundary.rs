use super::declarations::lightning_free_message;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

/// An exception of libtorch: its message, without the C++ backtrace.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NativeError(String);

impl NativeError {
    /// Returns the error with a message that came another way.
    pub(crate) fn of(message: &str) -> Self {
        Self(message.to_owned())
    }
}

/// Converts the value that an entry point returned, null or a message, to a result.
///
/// # Safety
/// `message` is null or came from an entry point of `native/`, and is not used again.
pub(super) unsafe fn check(message: *mut c_char) -> Result<(), NativeError> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: not null, hence a C string of `lightning::message`, which lives until it is freed below.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: allocated by `lightning::message`; `text` is a copy, so nothing points into it any more.
    unsafe { lightning_free_message(message) };
    Err(NativeError(text))
}

/// Calls an entry point that stores a tensor in its last argument; returns `None` if it stored null.
///
/// # Safety
/// `call` passes the pointer to an entry point of `native/` and returns its result; the entry point stores a new handle or null.
pub(super) unsafe fn receive(
    call: impl FnOnce(*mut *mut C_tensor) -> *mut c_char,
) -> Result<Option<Tensor>, NativeError> {
    let mut handle = ptr::null_mut();
    let message = call(&mut handle);
    // SAFETY: `message` came from an entry point, by this function's contract.
    unsafe { check(message) }?;
    // SAFETY: a handle made by `new at::Tensor`, as tch's own are, and now owned only by this `Tensor`.
    Ok((!handle.is_null()).then(|| unsafe { Tensor::from_ptr(handle) }))
}

/// Returns a name or a path as C++ takes it.
pub(super) fn c_string(bytes: &[u8]) -> Result<CString, NativeError> {
    CString::new(bytes).map_err(|error| NativeError::of(&format!("a name with a zero byte: {error}")))
}
