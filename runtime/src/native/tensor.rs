use std::ffi::{c_char, c_void};

use tch::Tensor;
use torch_sys::C_tensor;

use super::NativeError;
use super::boundary::{check, receive};

unsafe extern "C" {
    fn lightning_tensor_identity(tensor: *const C_tensor) -> *const c_void;
    fn lightning_set_gradient(tensor: *const C_tensor, gradient: *const C_tensor) -> *mut c_char;
    fn lightning_forget_graph(tensor: *mut C_tensor) -> *mut c_char;
    fn lightning_detach(tensor: *const C_tensor, detached: *mut *mut C_tensor) -> *mut c_char;
}

/// Which tensor a handle means: equal for a tensor and its `shallow_clone`, different for a copy, and for a view, which
/// is a tensor of its own over the same memory.
///
/// It says nothing once the tensor is freed, since another may then take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TensorIdentity(usize);

impl TensorIdentity {
    pub(crate) fn of(tensor: &Tensor) -> Self {
        // SAFETY: the pointer is a live `at::Tensor` for as long as `tensor` is borrowed, and is only read.
        Self(unsafe { lightning_tensor_identity(tensor.as_ptr()) } as usize)
    }
}

/// Gives a tensor a gradient, of its own shape and dtype, in the place of the one that it has.
pub(crate) fn set_gradient(tensor: &Tensor, gradient: &Tensor) -> Result<(), NativeError> {
    // SAFETY: both tensors live for the call; libtorch shares the gradient as it does any tensor.
    unsafe { check(lightning_set_gradient(tensor.as_ptr(), gradient.as_ptr())) }
}

/// The same memory without the graph that led to it, as `Tensor::detach`, but without an operator: for what happens in every step.
pub(crate) fn detach(tensor: &Tensor) -> Result<Tensor, NativeError> {
    // SAFETY: the tensor is alive and only read; the entry point stores a new handle.
    let detached = unsafe { receive(|detached| lightning_detach(tensor.as_ptr(), detached)) }?;
    Ok(detached.unwrap_or_default())
}

/// Makes a handle one of the same memory without the graph that led to it, without an operator. Other handles keep the graph.
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
    fn handles_of_one_tensor_are_one_and_copies_are_others() {
        let tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu));
        let identity = TensorIdentity::of(&tensor);
        assert_eq!(identity, TensorIdentity::of(&tensor.shallow_clone()));
        assert_ne!(identity, TensorIdentity::of(&tensor.copy()));
        assert_ne!(identity, TensorIdentity::of(&tensor.view([2])));
    }

    #[test]
    fn a_gradient_that_is_given_is_added_to() {
        let tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        set_gradient(&tensor, &Tensor::from_slice(&[1.0f32, -2.0])).unwrap();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [1.0, -2.0]);
        tensor.sum(Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [2.0, -1.0]);
    }

    #[test]
    fn a_handle_forgets_its_graph_alone() {
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
    fn what_is_detached_shares_the_memory_and_has_no_graph() {
        let tensor = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let doubled = &tensor * 2.0;
        let (detached, operators) = count_operators(|| detach(&doubled).unwrap());
        assert!(operators.is_empty(), "{operators:?}");
        assert!(doubled.requires_grad() && !detached.requires_grad());
        assert_eq!(detached.data_ptr(), doubled.data_ptr());
        assert_eq!(detached, doubled.detach());
        // the graph is whole
        doubled.sum(Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(tensor.grad()).unwrap(), [2.0, 2.0]);
    }
}
