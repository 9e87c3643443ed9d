use tch::Tensor;

use super::boundary::{NativeError, receive};
use super::declarations::lightning_norms;

/// Returns the L2 norm of each tensor, `[tensors] f32`, on the device of the first. Does not synchronize with a device, and autograd does
/// not record it. There must be at least one tensor.
///
/// # Errors
/// If there are no tensors, or one does not have floating-point or complex values.
pub(crate) fn norms(tensors: &[Tensor]) -> Result<Tensor, NativeError> {
    call(tensors, None)
}

/// Returns the L2 norm of the difference of each pair, as [`norms`].
///
/// # Errors
/// As [`norms`], and if a pair differs in shape, device or dtype.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn norms_of_differences(tensors: &[Tensor], less: &[Tensor]) -> Result<Tensor, NativeError> {
    assert_eq!(tensors.len(), less.len());
    call(tensors, Some(less))
}

fn call(tensors: &[Tensor], less: Option<&[Tensor]>) -> Result<Tensor, NativeError> {
    let pointers = |tensors: &[Tensor]| tensors.iter().map(Tensor::as_ptr).collect::<Vec<_>>();
    let (tensors, less) = (pointers(tensors), less.map(pointers));
    let less = less.as_ref().map_or(std::ptr::null(), |less| less.as_ptr());
    // SAFETY: the arrays hold `count` live tensors, or the second one is null; C++ keeps none of them and stores a new handle.
    let norms = unsafe { receive(|norms| lightning_norms(tensors.as_ptr(), less, tensors.len(), norms)) }?;
    Ok(norms.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn norms_are_those_of_each_tensor() {
        let tensors = [Tensor::from_slice(&[3.0f32, 4.0]), Tensor::from_slice(&[5.0f64, 12.0]).view([2, 1])];
        assert_eq!(norms(&tensors).unwrap(), Tensor::from_slice(&[5.0f32, 13.0]));
        let less = [Tensor::from_slice(&[0.0f32, 4.0]), Tensor::from_slice(&[5.0f64, 10.0]).view([2, 1])];
        assert_eq!(norms_of_differences(&tensors, &less).unwrap(), Tensor::from_slice(&[3.0f32, 2.0]));
    }

    #[test]
    fn norms_of_no_tensors_or_integers_are_an_error() {
        assert!(norms(&[]).is_err());
        assert!(norms(&[Tensor::zeros([2], (Kind::Int64, tch::Device::Cpu))]).is_err());
    }
}
