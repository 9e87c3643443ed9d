//! The graph of a loss.

use std::ffi::c_void;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check};
use super::declarations::lightning_graph_leaves;

/// Returns the tensors that a backward pass from `tensor` would add a gradient to.
pub(crate) fn leaves(tensor: &Tensor) -> Result<Vec<Tensor>, NativeError> {
    let mut leaves: Vec<Tensor> = Vec::new();
    // SAFETY: the tensor is alive and only read; `take` gets the pointer to `leaves`, which outlives the call, and nothing else.
    unsafe { check(lightning_graph_leaves(tensor.as_ptr(), (&raw mut leaves).cast(), take)) }?;
    Ok(leaves)
}

/// Takes one leaf.
///
/// # Safety
/// `leaves` is the vector of [`leaves`], and `leaf` a new handle.
unsafe extern "C" fn take(leaves: *mut c_void, leaf: *mut C_tensor) {
    // SAFETY: by this function's contract; nobody else uses the vector during the call, or owns the handle.
    unsafe { (*leaves.cast::<Vec<Tensor>>()).push(Tensor::from_ptr(leaf)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::TensorIdentity;
    use tch::{Device, Kind};

    #[test]
    fn leaves_are_those_that_require_a_gradient() {
        let tensor = || Tensor::ones([2], (Kind::Float, Device::Cpu));
        let (one, other) = (tensor().set_requires_grad(true), tensor().set_requires_grad(true));
        let identities =
            |tensors: &[Tensor]| -> Vec<TensorIdentity> { tensors.iter().map(TensorIdentity::of).collect() };
        let found = |loss: &Tensor| {
            let mut found = identities(&leaves(loss).unwrap());
            found.sort_unstable_by_key(|identity| *identity != TensorIdentity::of(&one));
            found
        };
        let both = identities(&[one.shallow_clone(), other.shallow_clone()]);
        assert_eq!(found(&(&one * &other + &one + tensor()).sum(Kind::Float)), both);
        assert_eq!(found(&(&one * other.detach())), both[..1]);
        assert_eq!(found(&one), both[..1]);
        assert!(leaves(&tensor().sum(Kind::Float)).unwrap().is_empty());
        assert!(tch::no_grad(|| leaves(&(&one * 2.0))).unwrap().is_empty());
    }
}
