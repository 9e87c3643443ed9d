use super::LogError;
use crate::native::{detach, read_scalar};
use tch::{Device, Kind, Tensor};

/// A logged number, on any device, in the log's own memory.
pub(crate) enum Scalar {
    /// f64, or f32 on Apple's GPUs, of shape `[]`.
    Tensor(Tensor),
    Number(f64),
}

impl Scalar {
    /// Reads the value of a tensor with one element. On the CPU it is read without an operator; on a GPU it is copied without
    /// synchronizing.
    pub(super) fn of(tensor: &Tensor) -> Result<Self, LogError> {
        match read_scalar(tensor) {
            Some(number) => Ok(Self::Number(number)),
            None => Self::copied(tensor),
        }
    }

    fn copied(tensor: &Tensor) -> Result<Self, LogError> {
        let copy = detach(tensor)?.f_to_dtype(widest(tensor.device()), false, true)?;
        Ok(Self::Tensor(if copy.dim() == 0 { copy } else { copy.f_reshape([0i64; 0].as_slice())? }))
    }

    /// The number. Waits for the device.
    pub(super) fn to_f64(&self) -> f64 {
        match self {
            Self::Tensor(tensor) => tensor.f_double_value(&[]).unwrap_or(f64::NAN),
            Self::Number(number) => *number,
        }
    }
}

/// Returns the dtype that preserves a number, as far as the device supports it: Apple's GPUs do not support f64.
pub(super) fn widest(device: Device) -> Kind {
    if device == Device::Mps { Kind::Float } else { Kind::Double }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_has_its_own_memory_and_no_graph() {
        for kind in [Kind::Double, Kind::Float, Kind::Half, Kind::BFloat16, Kind::Int64] {
            let mut value = Tensor::from_slice(&[3i64]).to_kind(kind);
            if value.is_floating_point() {
                value = value.set_requires_grad(true) * 1.0;
            }
            let Scalar::Tensor(copy) = Scalar::copied(&value).unwrap() else { panic!("no tensor") };
            let _ = value.detach().fill_(7);
            assert_eq!((copy.kind(), copy.size(), copy.requires_grad()), (Kind::Double, vec![], false));
            assert_eq!(copy.double_value(&[]), 3.0, "{kind:?}");
        }
    }
}
