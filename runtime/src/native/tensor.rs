use std::ffi::c_void;

use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn lightning_tensor_identity(tensor: *const C_tensor) -> *const c_void;
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

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn handles_of_one_tensor_are_one_and_copies_are_others() {
        let tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu));
        let identity = TensorIdentity::of(&tensor);
        assert_eq!(identity, TensorIdentity::of(&tensor.shallow_clone()));
        assert_ne!(identity, TensorIdentity::of(&tensor.copy()));
        assert_ne!(identity, TensorIdentity::of(&tensor.view([2])));
    }
}
