use tch::Tensor;

use super::NativeError;
use super::boundary::{check, receive};
use super::declarations::{
    lightning_detach, lightning_forget_graph, lightning_set_gradient, lightning_tensor_identity,
};

/// The identity of the tensor of a handle: equal for a tensor and its `shallow_clone`, different for a copy and for a view, which is
/// another tensor over the same memory.
///
/// It is valid only while the tensor lives: another tensor may get the same identity afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TensorIdentity(usize);

impl TensorIdentity {
    pub(crate) fn of(tensor: &Tensor) -> Self {
        // SAFETY: the pointer is a live `at::Tensor` for as long as `tensor` is borrowed, and is only read.
        Self(unsafe { lightning_tensor_identity(tensor.as_ptr()) } as usize)
    }
}

/// Replaces the gradient of a tensor by one of the same shape and dtype.
pub(crate) fn set_gradient(tensor: &Tensor, gradient: &Tensor) -> Result<(), NativeError> {
    // SAFETY: both tensors live for the call; libtorch shares the gradient as it does any tensor.
    unsafe { check(lightning_set_gradient(tensor.as_ptr(), gradient.as_ptr())) }
}

/// Returns the tensor without its graph, as `Tensor::detach` does, but without an operator, so that it is cheap enough for every step.
pub(crate) fn detach(tensor: &Tensor) -> Result<Tensor, NativeError> {
    // SAFETY: the tensor is alive and only read; the entry point stores a new handle.
    let detached = unsafe { receive(|detached| lightning_detach(tensor.as_ptr(), detached)) }?;
    Ok(detached.unwrap_or_default())
}

/// Replaces the tensor of this handle by one over the same memory without a graph, without an operator. Other handles keep the graph.
pub(crate) fn forget_graph(tensor: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the pointer is to the handle that `tensor` owns. No other thread has it, as a `Tensor` is not `Sync`, and
    // nothing borrows from it: views of the memory stay valid, as the memory is the same.
    unsafe { check(lightning_forget_graph(tensor.as_ptr().cast_mut())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiler::count_operators;
    use tch::{Device, Kind};

    #[test]
    fn identity_is_shared_by_handles_and_not_by_copies() {
        let tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu));
        let identity = TensorIdentity::of(&tensor);
        assert_eq!(identity, TensorIdentity::of(&tensor.shallow_clone()));
        assert_ne!(identity, TensorIdentity::of(&tensor.copy()));
        assert_ne!(identity, TensorIdentity::of(&tensor.view([2])));
    }

    #[test]
    fn backward_adds_to_a_gradient_that_was_set() {
        let tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        set_gradient(&tensor, &Tensor::from_slice(&[1.0f32, -2.0])).unwrap();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [1.0, -2.0]);
        tensor.sum(Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [2.0, -1.0]);
    }

    #[test]
    fn forget_graph_leaves_the_graph_of_other_handles() {
        let tensor = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let doubled = &tensor * 2.0;
        let other = doubled.shallow_clone();
        let (forgot, operators) = count_operators(|| forget_graph(&doubled));
        forgot.unwrap();
        assert!(operators.is_empty(), "{operators:?}");
        assert!(!doubled.requires_grad() && other.requires_grad());
        assert_eq!((doubled.data_ptr(), &doubled), (other.data_ptr(), &Tensor::from_slice(&[2.0f32, 2.0])));
        other.sum(Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [2.0, 2.0]);
    }

    #[test]
    fn detached_tensor_shares_the_memory_and_has_no_graph() {
        let tensor = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let doubled = &tensor * 2.0;
        let (detached, operators) = count_operators(|| detach(&doubled).unwrap());
        assert!(operators.is_empty(), "{operators:?}");
        assert!(doubled.requires_grad() && !detached.requires_grad());
        assert_eq!(detached.data_ptr(), doubled.data_ptr());
        assert_eq!(detached, doubled.detach());
        // the graph is unchanged
        doubled.sum(Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [2.0, 2.0]);
    }
}
