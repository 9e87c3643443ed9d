//! Gradients of several groups at once.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check, receive};
use super::group::{CGroup, Group};

unsafe extern "C" {
    fn lightning_grad_norm(groups: *const *mut CGroup, count: usize, norm: *mut *mut C_tensor) -> *mut c_char;
    fn lightning_clip_grad_norm(
        groups: *const *mut CGroup,
        count: usize,
        max_norm: f64,
        norm: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn lightning_clip_grad_value(groups: *const *mut CGroup, count: usize, limit: f64) -> *mut c_char;
    fn lightning_unscale_gradients(
        groups: *const *mut CGroup,
        count: usize,
        inv_scale: *const C_tensor,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
}

/// The gradients of all parameters of some groups.
pub(crate) struct Gradients<'a> {
    groups: Vec<*mut CGroup>,
    _alive: std::marker::PhantomData<&'a Group>,
}

impl<'a> FromIterator<&'a Group> for Gradients<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Group>>(groups: I) -> Self {
        Self { groups: groups.into_iter().map(Group::raw).collect(), _alive: std::marker::PhantomData }
    }
}

impl Gradients<'_> {
    pub(crate) fn norm(&self) -> Result<Tensor, NativeError> {
        // SAFETY: the groups are borrowed and only read; what the entry point stores is a new handle.
        let norm = unsafe { receive(|norm| lightning_grad_norm(self.groups.as_ptr(), self.groups.len(), norm)) }?;
        Ok(norm.expect("a call that succeeded has stored the norm"))
    }

    pub(crate) fn clip_norm(&self, max_norm: f64) -> Result<Tensor, NativeError> {
        let (groups, count) = (self.groups.as_ptr(), self.groups.len());
        // SAFETY: as for `norm`; the gradients change as tensors do behind any handle.
        let norm = unsafe { receive(|norm| lightning_clip_grad_norm(groups, count, max_norm, norm)) }?;
        Ok(norm.expect("a call that succeeded has stored the norm"))
    }

    pub(crate) fn clip_value(&self, limit: f64) -> Result<(), NativeError> {
        // SAFETY: as for `clip_norm`.
        unsafe { check(lightning_clip_grad_value(self.groups.as_ptr(), self.groups.len(), limit)) }
    }

    pub(crate) fn unscale(&self, inv_scale: &Tensor, found_inf: &Tensor) -> Result<(), NativeError> {
        let (groups, count) = (self.groups.as_ptr(), self.groups.len());
        // SAFETY: as for `clip_norm`; both tensors are alive.
        unsafe { check(lightning_unscale_gradients(groups, count, inv_scale.as_ptr(), found_inf.as_ptr())) }
    }
}
