use tch::{TchError, Tensor};

use super::aggregates;
use crate::metrics::error::Refusal;
use crate::metrics::inputs::{require, require_real};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};
use crate::metrics::{DistReduceFx, MetricError};

/// The mean of all values, optionally weighted, 0-dim: torchmetrics'
/// [`MeanMetric`](https://lightning.ai/docs/torchmetrics/stable/aggregation.html#mean-metric).
///
/// A NaN among the values or weights makes it NaN, as do weights that add up to 0; torchmetrics skips NaNs and warns.
///
/// State: `weighted_sum` and `weight`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Mean, Metric};
///
/// let loss = Mean::new();
/// loss.update(&Tensor::from_slice(&[1.0f32, 2.0, 3.0]))?;
/// // a batch's mean, with the size of the batch
/// loss.update_weighted(&Tensor::from(7.0f32), &Tensor::from(2.0f32))?;
/// assert_eq!(loss.compute()?.double_value(&[]), (1.0 + 2.0 + 3.0 + 2.0 * 7.0) / 5.0);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Mean(Shared<WeightedMean>);

aggregates!(Mean, WeightedMean);

impl Mean {
    /// Adds values with their weights, which broadcast to the values' shape, without waiting for the device.
    ///
    /// # Errors
    /// As [`update`](Self::update), and [`MetricError::Batch`] for weights that do not broadcast.
    pub fn update_weighted(&self, values: &Tensor, weights: &Tensor) -> Result<(), MetricError> {
        self.0.update(|formula| formula.weighted_batch(values, weights))
    }

    /// Adds values with their weights, and returns the mean of only these values, on their device.
    ///
    /// # Errors
    /// As [`update_weighted`](Self::update_weighted).
    pub fn forward_weighted(&self, values: &Tensor, weights: &Tensor) -> Result<Tensor, MetricError> {
        self.0.forward(|formula| formula.weighted_batch(values, weights))
    }
}

#[derive(Clone)]
struct WeightedMean;

impl WeightedMean {
    fn batch(&self, values: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_real("values", values)?;
        let kind = real(values.device());
        let count = Tensor::f_full([0i64; 0], values.numel() as f64, (kind, values.device()))?;
        Ok(vec![values.f_sum(kind)?, count])
    }

    fn weighted_batch(&self, values: &Tensor, weights: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_real("values", values)?;
        require_real("weights", weights)?;
        let (shape, of_weights) = (values.size(), weights.size());
        require(broadcasts(&of_weights, &shape), || {
            format!(
                "the weights have the shape {of_weights:?}, which does not broadcast to that of the values, {shape:?}"
            )
        })?;
        let kind = real(values.device());
        let weights = weights.f_expand(&shape, false)?.f_to_kind(kind)?;
        Ok(vec![values.f_to_kind(kind)?.f_mul(&weights)?.f_sum(kind)?, weights.f_sum(kind)?])
    }
}

/// Whether a tensor with the shape `from` can be broadcast to `to`.
fn broadcasts(from: &[i64], to: &[i64]) -> bool {
    from.len() <= to.len() && from.iter().rev().zip(to.iter().rev()).all(|(from, to)| *from == 1 || from == to)
}

impl Formula for WeightedMean {
    fn name(&self) -> &'static str {
        "Mean"
    }

    fn slots(&self) -> Vec<Slot> {
        ["weighted_sum", "weight"].map(|name| Slot::real(name, DistReduceFx::Sum, [])).into()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        state[0].f_div(&state[1])
    }
}
