use super::NativeError;
use super::boundary::{check, receive};
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn lightning_random_state(state: *mut *mut C_tensor) -> *mut c_char;
    fn lightning_set_random_state(state: *const C_tensor) -> *mut c_char;
}

/// The state of libtorch's random numbers on the CPU, `[bytes] u8`.
pub(crate) fn random_state() -> Result<Tensor, NativeError> {
    // SAFETY: the entry point stores a new handle.
    let state = unsafe { receive(|state| lightning_random_state(state)) }?;
    Ok(state.unwrap_or_default())
}

/// Sets the state that [`random_state`] gave.
pub(crate) fn set_random_state(state: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the tensor lives for the call and is only read; the answer is an entry point's.
    unsafe { check(lightning_set_random_state(state.as_ptr())) }
}
