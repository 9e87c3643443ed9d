use tch::Tensor;

use super::boundary::{NativeError, check};
use super::declarations::{lightning_keep_loss, lightning_read_scalar};

/// Reads the value of a real 0-dim or one-element tensor in host memory, without an operator. Returns `None` for any other tensor.
pub(crate) fn read_scalar(tensor: &Tensor) -> Option<f64> {
    let (mut value, mut was_read) = (0.0, false);
    // SAFETY: the tensor is alive and only read; both pointers are to variables of this function.
    unsafe { check(lightning_read_scalar(tensor.as_ptr(), &mut value, &mut was_read)) }.ok()?;
    was_read.then_some(value)
}

/// Copies a loss to `kept`, one f32 or f64 number on the loss's device, and sets `found`, one f32 number there, to 1 if it is
/// infinite or not a number; `one` is 1, of the same kind. Does not synchronize with the device.
pub(crate) fn keep_loss(loss: &Tensor, kept: &Tensor, found: &Tensor, one: &Tensor) -> Result<(), NativeError> {
    // SAFETY: all tensors are alive; `kept` and `found` are changed in place, as through any handle of theirs.
    unsafe { check(lightning_keep_loss(loss.as_ptr(), kept.as_ptr(), found.as_ptr(), one.as_ptr())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiler::count_operators;
    use tch::Kind;

    const KINDS: [Kind; 4] = [Kind::Double, Kind::Float, Kind::Half, Kind::BFloat16];

    #[test]
    fn number_in_memory_is_read_without_an_operator() {
        for kind in KINDS {
            let loss = Tensor::from(1.5).to_kind(kind);
            let (value, operators) = count_operators(|| read_scalar(&loss));
            assert_eq!(value, Some(1.5), "{kind:?}");
            assert!(operators.is_empty(), "{operators:?}");
            assert!(read_scalar(&Tensor::from(f64::NAN).to_kind(kind)).unwrap().is_nan());
        }
        for kind in [Kind::Int64, Kind::Int, Kind::Int16, Kind::Int8, Kind::Uint8] {
            assert_eq!(read_scalar(&Tensor::from(7).to_kind(kind)), Some(7.0), "{kind:?}");
        }
        assert_eq!(read_scalar(&Tensor::from(-3i64)), Some(-3.0));
        assert_eq!(read_scalar(&Tensor::from(true)), Some(1.0));
        // an element of a larger tensor has a storage offset
        assert_eq!(read_scalar(&Tensor::from_slice(&[1.0, 2.0, 3.0]).get(2)), Some(3.0));
    }

    #[test]
    fn tensors_of_other_forms_are_not_read() {
        let complex = Tensor::complex(&Tensor::from(1.0), &Tensor::from(3.0));
        assert_eq!(read_scalar(&complex), None);
        // its memory holds 3, and the sign is applied lazily
        assert_eq!(read_scalar(&complex.conj().imag()), None);
        assert_eq!(read_scalar(&Tensor::from_slice(&[1.0, 2.0])), None);
        assert_eq!(read_scalar(&Tensor::new()), None);
    }

    #[test]
    fn loss_is_kept_and_judged_where_it_is() {
        let number = |value: f64, kind| Tensor::from(value).to_kind(kind);
        for (value, found) in [(1.0, 0.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (f64::NEG_INFINITY, 1.0)] {
            for kind in KINDS {
                let loss = number(value, kind).view([1]).set_requires_grad(true);
                let (kept, flag) = (number(0.0, Kind::Float), number(0.0, Kind::Float));
                keep_loss(&loss, &kept, &flag, &number(1.0, Kind::Float)).unwrap();
                assert_eq!(flag.double_value(&[]), found, "{value} {kind:?}");
                assert_eq!(kept.double_value(&[]).to_string(), value.to_string());
            }
        }
        // a number too large for f32 is finite in f64
        let (kept, flag) = (number(0.0, Kind::Double), number(0.0, Kind::Float));
        keep_loss(&number(1e300, Kind::Double), &kept, &flag, &number(1.0, Kind::Float)).unwrap();
        assert_eq!((flag.double_value(&[]), kept.double_value(&[])), (0.0, 1e300));
    }
}
