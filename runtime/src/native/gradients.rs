//! Gradients of several groups at once.

use tch::Tensor;

use super::boundary::{NativeError, check, receive};
use super::declarations::{
    CGroup, lightning_clip_grad_norm, lightning_clip_grad_value, lightning_grad_norm, lightning_unscale_gradients,
};
use super::group::Group;

/// The gradients of all parameters of some groups.
pub(crate) struct Gradients<'a> {
    groups: Vec<*const CGroup>,
    _alive: std::marker::PhantomData<&'a Group>,
}

impl<'a> FromIterator<&'a Group> for Gradients<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Group>>(groups: I) -> Self {
        Self {
            groups: groups.into_iter().map(|group| group.raw().cast_const()).collect(),
            _alive: std::marker::PhantomData,
        }
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
        // SAFETY: as for `norm`; the gradients are changed in place, as through any handle of theirs.
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
