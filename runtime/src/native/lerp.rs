use tch::Tensor;

use super::boundary::{NativeError, check};
use super::declarations::lightning_lerp;

/// Interpolates each tensor of `from` in place towards the one of `to` by `weight`, in one kernel for all tensors of a device and a
/// dtype. Autograd does not record it.
///
/// # Errors
/// If a pair differs in shape, device or dtype, or the dtype is not a floating-point one.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn lerp(from: &[Tensor], to: &[Tensor], weight: f64) -> Result<(), NativeError> {
    assert_eq!(from.len(), to.len());
    let pointers = |tensors: &[Tensor]| tensors.iter().map(Tensor::as_ptr).collect::<Vec<_>>();
    let (from, to) = (pointers(from), pointers(to));
    // SAFETY: both arrays hold `count` live tensors, asserted above; C++ keeps none of them.
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
    fn pairs_that_do_not_match_are_an_error() {
        let (two, three) = ([Tensor::from_slice(&[0.0f32; 2])], [Tensor::from_slice(&[0.0f32; 3])]);
        assert!(lerp(&two, &three, 0.5).is_err());
        let whole = [Tensor::zeros([2], (Kind::Int64, tch::Device::Cpu))];
        assert!(lerp(&whole, &whole, 0.5).is_err());
    }
}
