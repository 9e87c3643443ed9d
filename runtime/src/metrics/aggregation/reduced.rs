use tch::{TchError, Tensor};

use super::aggregates;
use crate::metrics::DistReduceFx;
use crate::metrics::accumulated::copied;
use crate::metrics::error::Refusal;
use crate::metrics::inputs::require_real;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The sum of all values, 0-dim: torchmetrics'
/// [`SumMetric`](https://lightning.ai/docs/torchmetrics/stable/aggregation.html#sum-metric).
///
/// A NaN among the values makes it NaN; torchmetrics skips NaNs and warns, unless its `nan_strategy` is `disable`.
///
/// State: `sum_value`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, Sum};
///
/// let tokens = Sum::new();
/// tokens.update(&Tensor::from_slice(&[17i64, 5]))?;
/// tokens.update(&Tensor::from(20i64))?;
/// assert_eq!(tokens.compute()?.double_value(&[]), 42.0);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Sum(Shared<Reduced>);

aggregates!(Sum, SUM);

/// The smallest of all values, 0-dim: torchmetrics'
/// [`MinMetric`](https://lightning.ai/docs/torchmetrics/stable/aggregation.html#min-metric).
///
/// A NaN among the values makes it NaN; torchmetrics skips NaNs and warns, unless its `nan_strategy` is `disable`.
///
/// State: `min_value`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, Min};
///
/// let best = Min::new();
/// best.update(&Tensor::from_slice(&[0.5f32, 0.25]))?;
/// best.update(&Tensor::from(0.75f32))?;
/// assert_eq!(best.compute()?.double_value(&[]), 0.25);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Min(Shared<Reduced>);

aggregates!(Min, MIN);

/// The largest of all values, 0-dim: torchmetrics'
/// [`MaxMetric`](https://lightning.ai/docs/torchmetrics/stable/aggregation.html#max-metric).
///
/// A NaN among the values makes it NaN; torchmetrics skips NaNs and warns, unless its `nan_strategy` is `disable`.
///
/// State: `max_value`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Max, Metric};
///
/// let longest = Max::new();
/// longest.update(&Tensor::from_slice(&[17i64, 5]))?;
/// longest.update(&Tensor::from(20i64))?;
/// assert_eq!(longest.compute()?.double_value(&[]), 20.0);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Max(Shared<Reduced>);

aggregates!(Max, MAX);

/// The reduction of all values by a [`DistReduceFx`].
#[derive(Clone)]
struct Reduced {
    metric: &'static str,
    slot: &'static str,
    dist_reduce_fx: DistReduceFx,
}

const SUM: Reduced = Reduced { metric: "Sum", slot: "sum_value", dist_reduce_fx: DistReduceFx::Sum };
const MIN: Reduced = Reduced { metric: "Min", slot: "min_value", dist_reduce_fx: DistReduceFx::Min };
const MAX: Reduced = Reduced { metric: "Max", slot: "max_value", dist_reduce_fx: DistReduceFx::Max };

impl Reduced {
    fn batch(&self, values: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_real("values", values)?;
        let (device, kind) = (values.device(), real(values.device()));
        Ok(vec![match self.dist_reduce_fx {
            // libtorch has no minimum of an empty tensor
            _ if values.numel() == 0 => self.slot().neutral(device)?,
            DistReduceFx::Sum => values.f_sum(kind)?,
            DistReduceFx::Min => values.f_min()?.f_to_kind(kind)?,
            DistReduceFx::Max => values.f_max()?.f_to_kind(kind)?,
            DistReduceFx::Cat => values.f_to_kind(kind)?.f_reshape([-1])?,
        }])
    }

    fn slot(&self) -> Slot {
        Slot::real(self.slot, self.dist_reduce_fx, [])
    }
}

impl Formula for Reduced {
    fn name(&self) -> &'static str {
        self.metric
    }

    fn slots(&self) -> Vec<Slot> {
        vec![self.slot()]
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        copied(&state[0])
    }
}
