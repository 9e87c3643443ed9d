use super::LogError;
use super::scalar::Scalar;
use crate::metrics::Metric;
use crate::native::detach;
use std::borrow::Cow;
use std::fmt;
use tch::Tensor;

/// A value that can be logged: a tensor with one element, a number, or a metric.
#[non_exhaustive]
pub enum LogValue {
    /// A tensor with one element, of any real dtype and device. Its value is read, or on a GPU copied, at the end of
    /// the statement with the log call: the tensor may change afterwards.
    Tensor(Tensor),
    /// A number.
    Number(f64),
    /// A sum, a tensor with one element, over a number of terms, of which the mean is logged. Its weight in the mean of an epoch is the
    /// number, unless [`LogEntry::batch_size`](crate::context::LogEntry::batch_size) is another.
    Mean {
        /// The sum.
        sum: Tensor,
        /// The number of terms.
        count: usize,
    },
    /// A metric. The log shares its state, and resets it at the end of the epoch after computing its value.
    Metric(Box<dyn Metric>),
    /// A text, which is refused.
    // of a `Loggable` that the compiler accepts only if the name is itself a value
    #[doc(hidden)]
    Text(String),
}

impl fmt::Debug for LogValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor(tensor) => tensor.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Mean { sum, count } => write!(f, "{sum:?} / {count}"),
            Self::Metric(metric) => f.write_str(metric.name()),
            Self::Text(text) => text.fmt(f),
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

impl<M: Metric> From<&mut M> for LogValue {
    fn from(metric: &mut M) -> Self {
        Self::Metric(metric.shallow_clone())
    }
}

impl From<Box<dyn Metric>> for LogValue {
    fn from(metric: Box<dyn Metric>) -> Self {
        Self::Metric(metric)
    }
}

/// What [`Context::log`](crate::Context::log) takes: a tensor with one element, a number, or a reference to a metric.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be logged [TL0703]",
    label = "write a number, a tensor with one element, or a reference to a metric here",
    note = "`ctx.log_text(\"name\", …)` logs a text, `ctx.log_image` an image, and `ctx.log_histogram` many numbers"
)]
pub trait Loggable<Name = &'static str> {
    /// The value for the log.
    fn into_log_value(self) -> LogValue;
}

#[diagnostic::do_not_recommend]
impl<'a, Name: LogName<'a>, T: Into<LogValue>> Loggable<Name> for T {
    fn into_log_value(self) -> LogValue {
        self.into()
    }
}

/// A text in the place of a value whose name is a value: the error of [`LogName`] about the name is the only one. A type that is a name too
/// makes the hook fail.
#[diagnostic::do_not_recommend]
impl<Name: Into<LogValue>> Loggable<Name> for &str {
    fn into_log_value(self) -> LogValue {
        LogValue::Text(self.to_owned())
    }
}

/// The name of a logged value: a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of a logged value: write `ctx.log(\"loss\", &loss)` [TL0703]",
    label = "write the name here, and the value after it"
)]
pub trait LogName<'a> {
    /// The text.
    fn into_name(self) -> Cow<'a, str>;
}

#[diagnostic::do_not_recommend]
impl<'a, T: Into<Cow<'a, str>>> LogName<'a> for T {
    fn into_name(self) -> Cow<'a, str> {
        self.into()
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

/// A value that the log has for itself.
pub(crate) enum Taken {
    Scalar(Scalar),
    Metric(Box<dyn Metric>),
}

impl LogValue {
    /// The weight of the value in a mean, if it is not that of the batch.
    pub(crate) fn weight(&self) -> Option<usize> {
        if let Self::Mean { count, .. } = self { Some(*count) } else { None }
    }

    pub(crate) fn take(self, name: &str) -> Result<Taken, LogError> {
        let refuse = |mistake| Err(LogError::Value { name: name.to_owned(), mistake });
        match self {
            // without terms, the sum is that of none
            Self::Mean { sum, count } => Self::Tensor(detach(&sum)?.f_div_scalar(count.max(1) as f64)?).take(name),
            Self::Tensor(tensor) if tensor.numel() != 1 => {
                refuse(format!("a tensor of shape {:?}: one element can be logged, such as its mean", tensor.size()))
            }
            Self::Tensor(tensor) if tensor.is_complex() => {
                refuse("a complex number: log its parts, or its absolute value".to_owned())
            }
            Self::Tensor(tensor) => Ok(Taken::Scalar(Scalar::of(&tensor)?)),
            Self::Number(number) => Ok(Taken::Scalar(Scalar::Number(number))),
            Self::Metric(metric) => Ok(Taken::Metric(metric)),
            Self::Text(text) => refuse(format!("the text {text:?}: `ctx.log_text` logs texts")),
        }
    }
}
