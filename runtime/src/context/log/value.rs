use super::LogError;
use crate::metrics::Metric;
use crate::native::detach;
use std::fmt;
use tch::Tensor;

/// What can be logged: a tensor of one element, a number, or a metric.
pub enum LogValue {
    /// A tensor of one element, of any dtype and device. It stays where it is.
    Tensor(Tensor),
    /// A number.
    Number(f64),
    /// A metric, whose state the log shares: its value is computed at the end of the epoch, and it is reset then.
    Metric(Box<dyn Metric>),
}

impl fmt::Debug for LogValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor(tensor) => tensor.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Metric(metric) => f.write_str(metric.name()),
        }
    }
}

impl From<&Tensor> for LogValue {
    fn from(tensor: &Tensor) -> Self {
        Self::Tensor(tensor.shallow_clone())
    }
}

impl From<Tensor> for LogValue {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl<M: Metric> From<&M> for LogValue {
    fn from(metric: &M) -> Self {
        Self::Metric(metric.shallow_clone())
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for LogValue {
            fn from(number: $number) -> Self {
                Self::Number(number as f64)
            }
        }
    )*};
}
from_number!(f32, f64, i32, i64, u32, u64, usize);

impl LogValue {
    /// Whether it can be logged; what is wrong with it, otherwise.
    pub(super) fn mistake(&self) -> Option<String> {
        match self {
            Self::Tensor(tensor) if tensor.numel() != 1 => {
                Some(format!("a tensor of shape {:?}: one element can be logged, such as its mean", tensor.size()))
            }
            _ => None,
        }
    }
}

/// A tensor of one element without its graph, of shape `[]`.
pub(super) fn scalar(tensor: &Tensor) -> Result<Tensor, LogError> {
    let detached = detach(tensor)?;
    Ok(if detached.dim() == 0 { detached } else { detached.f_reshape([0i64; 0].as_slice())? })
}
