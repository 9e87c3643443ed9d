use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check};

unsafe extern "C" {
    fn lightning_lerp(
        from: *const *const C_tensor,
        to: *const *const C_tensor,
        count: usize,
        weight: f64,
    ) -> *mut c_char;
}

/// Moves each tensor in place towards its partner, `weight` of the way: one kernel for all of a device and a dtype.
/// Nothing is recorded for autograd.
///
/// # Errors
/// When partners differ in shape, device or dtype; when the dtype has no fractions.
///
/// # Panics
/// When there are not as many of the one as of the other.
pub(crate) fn lerp(from: &[Tensor], to: &[Tensor], weight: f64) -> Result<(), NativeError> {
    assert_eq!(from.len(), to.len());
    let pointers = |tensors: &[Tensor]| tensors.iter().map(Tensor::as_ptr).collect::<Vec<_>>();
    let (from, to) = (pointers(from), pointers(to));
    // SAFETY: both arrays hold as many live tensors as the count says, asserted above; C++ keeps none of them.
    unsafe { check(lightning_lerp(from.as_ptr(), to.as_ptr(), from.len(), weight)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn tensors_of_all_dtypes_move_part_of_the_way() {
        let from = [Tensor::from_slice(&[0.0f32, 8.0]), Tensor::from(1.0f64), Tensor::from_slice(&[4.0f32])];
        let to = [Tensor::from_slice(&[4.0f32, 0.0]), Tensor::from(3.0f64), Tensor::from_slice(&[4.0f32])];
        lerp(&from, &to, 0.25).unwrap();
        assert_eq!(from, [Tensor::from_slice(&[1.0f32, 6.0]), Tensor::from(1.5f64), Tensor::from_slice(&[4.0f32])]);
        lerp(&from, &to, 1.0).unwrap();
        assert_eq!(from, to);
    }

    #[test]
    fn partners_that_do_not_fit_are_an_error() {
        let (two, three) = ([Tensor::from_slice(&[0.0f32; 2])], [Tensor::from_slice(&[0.0f32; 3])]);
        assert!(lerp(&two, &three, 0.5).is_err());
        let whole = [Tensor::zeros([2], (Kind::Int64, tch::Device::Cpu))];
        assert!(lerp(&whole, &whole, 0.5).is_err());
    }
}
