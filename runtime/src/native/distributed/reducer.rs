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

#[cfg(test)]
mod tests {
    use super::super::process_group::tests::ranks;
    use super::*;

    const OPTIONS: ReducerOptions = ReducerOptions {
        find_unused_parameters: false,
        gradient_as_bucket_view: true,
        static_graph: false,
        separate_flags: false,
        compression: -1,
        bucket_bytes: 1 << 20,
    };

    #[test]
    fn flags_are_averaged_with_the_gradients_or_apart_from_them() {
        for separate_flags in [false, true] {
            let options = &ReducerOptions { separate_flags, ..OPTIONS };
            let results = ranks(2, |rank, group| {
                let weight = Tensor::from_slice(&[1f32, 2.0]).set_requires_grad(true);
                let parameters = [("weight".to_owned(), weight.shallow_clone())];
                let mut reducer = Reducer::new(&group, &parameters, &[], options).unwrap();
                let mut passes = Vec::new();
                for pass in 1..=3 {
                    reducer.prepare(&[]).unwrap();
                    // the loss of rank 1 is three times that of rank 0
                    (&weight * (1.0 + 2.0 * rank as f64) * f64::from(pass)).sum(tch::Kind::Float).backward();
                    let own = Flags { stops: rank as f64, requests: f64::from(pass), ..Flags::default() };
                    let flags = reducer.finish(own).unwrap();
                    let gradient = Vec::<f64>::try_from(&weight.grad()).unwrap();
                    passes.push((gradient, flags.stops, flags.requests));
                    let _ = weight.grad().zero_();
                }
                passes
            });
            let expected = [1.0, 2.0, 3.0].map(|pass| (vec![2.0 * pass; 2], 0.5, pass)).to_vec();
            assert_eq!(results, [expected.clone(), expected], "{separate_flags}");
        }
    }
}
