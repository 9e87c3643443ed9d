use std::ffi::{CStr, c_char};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn lightning_free_message(message: *mut c_char);
}

/// What a C++ exception said, without its backtrace.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NativeError(String);

/// Turns an entry point's answer, null or a message, into a result.
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

/// Calls an entry point that hands out a tensor through its last argument; `None` where it left null there.
///
/// # Safety
/// `call` passes the pointer to an entry point of `native/` and returns its answer; what that stores is a new handle.
pub(super) unsafe fn receive(
    call: impl FnOnce(*mut *mut C_tensor) -> *mut c_char,
) -> Result<Option<Tensor>, NativeError> {
    let mut handle = ptr::null_mut();
    let message = call(&mut handle);
    // SAFETY: the caller vouches that `message` is an entry point's answer.
    unsafe { check(message) }?;
    // SAFETY: a handle made by `new at::Tensor`, as tch's own are, and now owned by this `Tensor` alone.
    Ok((!handle.is_null()).then(|| unsafe { Tensor::from_ptr(handle) }))
}
