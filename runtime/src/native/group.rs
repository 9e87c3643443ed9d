use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check, receive};
use super::declarations::{
    CGroup, lightning_group_free, lightning_group_load, lightning_group_new, lightning_group_saved,
    lightning_group_zero_grad,
};

/// Parameters and their optimizer state, held in C++ so that a step over all of them is one call.
///
/// The state is kept in slots, each with one tensor for each parameter. The algorithm defines the slots and their order.
#[derive(Debug)]
pub(crate) struct Group {
    raw: NonNull<CGroup>,
    parameters: usize,
    slots: usize,
}

// SAFETY: the group owns its handles, and tch's tensors, the same handles, may be sent. It is not Sync, as they are not.
unsafe impl Send for Group {}

impl Group {
    pub(crate) fn new(parameters: &[(String, Tensor)], slots: usize) -> Result<Self, NativeError> {
        let names: Vec<CString> = parameters
            .iter()
            .map(|(name, _)| CString::new(name.replace('\0', "")).expect("the zero bytes are taken out"))
            .collect();
        let names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let tensors: Vec<*const C_tensor> = parameters.iter().map(|(_, tensor)| tensor.as_ptr()).collect();
        let mut raw = ptr::null_mut();
        // SAFETY: both arrays hold `count` live pointers; C++ copies the names and the handles.
        unsafe { check(lightning_group_new(names.as_ptr(), tensors.as_ptr(), parameters.len(), slots, &mut raw)) }?;
        let raw = NonNull::new(raw).expect("a call that succeeded has stored the group");
        Ok(Self { raw, parameters: parameters.len(), slots })
    }

    /// The C++ object, which lives as long as `self`.
    pub(super) fn raw(&self) -> *mut CGroup {
        self.raw.as_ptr()
    }

    pub(crate) fn zero_grad(&mut self) -> Result<(), NativeError> {
        // SAFETY: the group is alive and borrowed exclusively.
        unsafe { check(lightning_group_zero_grad(self.raw.as_ptr())) }
    }

    /// Returns a handle of the state itself, or `None` if the parameter has had no gradient yet.
    pub(crate) fn saved(&self, slot: usize, member: usize) -> Result<Option<Tensor>, NativeError> {
        // SAFETY: the group is alive, C++ checks both indices; what the entry point stores is a new handle or null.
        unsafe { receive(|tensor| lightning_group_saved(self.raw.as_ptr(), slot, member, tensor)) }
    }

    /// Replaces all state by copies of `tensors`, which are ordered by slot and then by parameter. `of_parameter` holds for each slot
    /// whether its tensors have the device and dtype of their parameters or are scalars.
    ///
    /// # Panics
    /// When the lengths do not fit the group.
    pub(crate) fn load(&mut self, tensors: &[Option<Tensor>], of_parameter: &[bool]) -> Result<(), NativeError> {
        assert_eq!(tensors.len(), self.slots * self.parameters);
        assert_eq!(of_parameter.len(), self.slots);
        let tensors: Vec<*const C_tensor> =
            tensors.iter().map(|tensor| tensor.as_ref().map_or(ptr::null(), Tensor::as_ptr)).collect();
        // SAFETY: both arrays are as long as C++ reads, asserted above; every pointer is null or a live tensor.
        unsafe { check(lightning_group_load(self.raw.as_ptr(), tensors.as_ptr(), of_parameter.as_ptr())) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_group_new`, and freed nowhere else.
        unsafe { lightning_group_free(self.raw.as_ptr()) }
    }
}
