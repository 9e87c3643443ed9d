use super::super::NativeError;
use super::super::boundary::check;
use super::declarations::{
    CReducer, ReducerOptions, lightning_reducer_contribute_zeros, lightning_reducer_finish, lightning_reducer_free,
    lightning_reducer_new, lightning_reducer_order, lightning_reducer_prepare,
};
use super::{Flags, ProcessGroup, c_string};
use std::ffi::CString;
use std::ptr::{self, NonNull};
use tch::Tensor;
use torch_sys::C_tensor;

/// Averages the gradients of parameters over all ranks while a backward pass computes them: c10d's `Reducer`.
///
/// As long as it lives, the parameters have autograd hooks of it.
pub(crate) struct Reducer {
    raw: NonNull<CReducer>,
    /// The number of parameters.
    count: usize,
}

// SAFETY: the reducer owns its handles, and tch's tensors, the same handles, may be sent. It is not Sync, as they are not.
unsafe impl Send for Reducer {}

impl Reducer {
    /// Creates the reducer of parameters that all ranks have in this order. All of them require gradients. `order` has the indices of all
    /// of them as they are laid out in buckets: that of [`order`](Self::order), or nothing.
    pub(crate) fn new(
        group: &ProcessGroup,
        parameters: &[(String, Tensor)],
        order: &[usize],
        options: &ReducerOptions,
    ) -> Result<Self, NativeError> {
        let names: Vec<CString> = parameters.iter().map(|(name, _)| c_string(name)).collect();
        let names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let tensors: Vec<*const C_tensor> = parameters.iter().map(|(_, tensor)| tensor.as_ptr()).collect();
        let order: Vec<i64> = order.iter().map(|index| i64::try_from(*index).unwrap_or(i64::MAX)).collect();
        let mut raw = ptr::null_mut();
        // SAFETY: two arrays hold `count` live pointers, and the third `ordered` numbers, which C++ checks; C++ copies the names, the
        // handles and the numbers, and has its own handle of the group.
        let message = unsafe {
            lightning_reducer_new(
                group.raw(),
                names.as_ptr(),
                tensors.as_ptr(),
                parameters.len(),
                order.as_ptr(),
                order.len(),
                options,
                &raw mut raw,
            )
        };
        // SAFETY: the answer is an entry point's.
        unsafe { check(message) }?;
        let raw = NonNull::new(raw).expect("a call that succeeded has stored the reducer");
        Ok(Self { raw, count: parameters.len() })
    }

    /// Returns the indices of the parameters in the order in which their gradients are laid out in buckets, which determines how sums of
    /// more than two ranks are rounded. Empty before the first backward pass, and if the order stays that of a new reducer.
    pub(crate) fn order(&self) -> Result<Vec<usize>, NativeError> {
        let (mut order, mut ordered) = (vec![0; self.count], 0);
        // SAFETY: the array has a place for each parameter, and an order has each at most once.
        unsafe { check(lightning_reducer_order(self.raw.as_ptr(), order.as_mut_ptr(), &raw mut ordered)) }?;
        Ok(order.into_iter().take(ordered).filter_map(|index| usize::try_from(index).ok()).collect())
    }

    /// Lets the next backward pass reduce its gradients; without it, they are only accumulated. `outputs` are the tensors from which the
    /// pass begins, if unused parameters are to be found, else nothing.
    pub(crate) fn prepare(&mut self, outputs: &[&Tensor]) -> Result<(), NativeError> {
        let outputs: Vec<*const C_tensor> = outputs.iter().map(|output| output.as_ptr()).collect();
        // SAFETY: the array holds `count` live tensors; the reducer is borrowed exclusively.
        unsafe { check(lightning_reducer_prepare(self.raw.as_ptr(), outputs.as_ptr(), outputs.len())) }
    }

    /// Ends a backward pass for which it was prepared. Returns the averages of the flags of all ranks, in the precision of the
    /// parameters: they travel with the gradients.
    pub(crate) fn finish(&mut self, mut flags: Flags) -> Result<Flags, NativeError> {
        // SAFETY: C++ reads and writes the flags, which live for the call; the reducer is borrowed exclusively.
        unsafe { check(lightning_reducer_finish(self.raw.as_ptr(), &raw mut flags)) }?;
        Ok(flags)
    }

    /// Runs a backward pass whose gradients are zero, for a rank without a loss.
    pub(crate) fn contribute_zeros(&mut self) -> Result<(), NativeError> {
        // SAFETY: the reducer is borrowed exclusively.
        unsafe { check(lightning_reducer_contribute_zeros(self.raw.as_ptr())) }
    }
}

impl Drop for Reducer {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_reducer_new`, and not used again. A failed group may fail here again, which nobody has to know.
        let _ = unsafe { check(lightning_reducer_free(self.raw.as_ptr())) };
    }
}
