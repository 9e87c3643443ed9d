use std::ffi::{CString, c_char};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check, receive};

/// `lightning::Group` in `native/group.h`; only pointers to it are seen here.
#[repr(C)]
pub(crate) struct CGroup {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

unsafe extern "C" {
    fn lightning_group_new(
        names: *const *const c_char,
        parameters: *const *const C_tensor,
        count: usize,
        slots: usize,
        group: *mut *mut CGroup,
    ) -> *mut c_char;
    fn lightning_group_free(group: *mut CGroup);
    fn lightning_group_zero_grad(group: *mut CGroup) -> *mut c_char;
    fn lightning_group_saved(
        group: *const CGroup,
        slot: usize,
        member: usize,
        tensor: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn lightning_group_load(
        group: *mut CGroup,
        tensors: *const *const C_tensor,
        elementwise: *const bool,
    ) -> *mut c_char;
}

/// Parameters and their optimizer state, held in C++ so that a step over all of them is one call.
///
/// State is kept in slots, one tensor a parameter in each; which slots there are, and in which order, is the algorithm's.
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
        // SAFETY: both arrays hold as many live pointers as the count says; C++ copies the names and the handles.
        unsafe { check(lightning_group_new(names.as_ptr(), tensors.as_ptr(), parameters.len(), slots, &mut raw)) }?;
        let raw = NonNull::new(raw).expect("a call that succeeded has stored the group");
        Ok(Self { raw, parameters: parameters.len(), slots })
    }

    /// The C++ object, which lives as long as `self`.
    pub(super) fn raw(&self) -> *mut CGroup {
        self.raw.as_ptr()
    }

    pub(crate) fn zero_grad(&mut self) -> Result<(), NativeError> {
        // SAFETY: the group is alive and borrowed for itself alone.
        unsafe { check(lightning_group_zero_grad(self.raw.as_ptr())) }
    }

    /// A handle of the live state, or `None` where the parameter has had no gradient yet.
    pub(crate) fn saved(&self, slot: usize, member: usize) -> Result<Option<Tensor>, NativeError> {
        // SAFETY: the group is alive, C++ checks both indices; what the entry point stores is a new handle or null.
        unsafe { receive(|tensor| lightning_group_saved(self.raw.as_ptr(), slot, member, tensor)) }
    }

    /// Replaces all state by copies. `tensors` goes slot by slot, and by parameter within a slot; `elementwise` says of
    /// each slot whether its tensors have the parameters' shape, or are 0-dim.
    ///
    /// # Panics
    /// When the lengths do not fit the group.
    pub(crate) fn load(&mut self, tensors: &[Option<Tensor>], elementwise: &[bool]) -> Result<(), NativeError> {
        assert_eq!(tensors.len(), self.slots * self.parameters);
        assert_eq!(elementwise.len(), self.slots);
        let tensors: Vec<*const C_tensor> =
            tensors.iter().map(|tensor| tensor.as_ref().map_or(ptr::null(), Tensor::as_ptr)).collect();
        // SAFETY: both arrays are as long as C++ reads, asserted above; every pointer is null or a live tensor.
        unsafe { check(lightning_group_load(self.raw.as_ptr(), tensors.as_ptr(), elementwise.as_ptr())) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_group_new`, and freed nowhere else.
        unsafe { lightning_group_free(self.raw.as_ptr()) }
    }
}
