use std::collections::HashMap;

use tch::{TchError, Tensor};

use super::MetricError;

/// A value that is accumulated over batches: the interface for logging, checkpoints and distributed runs.
///
/// A metric is a handle, as a [`Tensor`] is: its clones share one state, so that a model can update a metric that the log
/// computes and resets at the end of the epoch. Updates have different arguments for each metric and are not part of this
/// trait: see [`Accuracy::update`](super::Accuracy::update).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Mean, Metric};
///
/// let loss = Mean::new();
/// let logged: Box<dyn Metric> = loss.shallow_clone();
///
/// loss.update(&Tensor::from_slice(&[1.0f32, 2.0]))?;
/// loss.update(&Tensor::from_slice(&[6.0f32]))?;
/// assert_eq!(logged.compute()?.double_value(&[]), 3.0);
///
/// logged.reset();
/// assert!(loss.compute().is_err());
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
///
/// # Several processes
///
/// Each process accumulates its own batches. For the value over all processes, gather [`state`](Self::state), join each tensor
/// by [`dist_reduce_fx`](Self::dist_reduce_fx), and load the result. A process without batches also has a state. The shapes are
/// the same in all processes, except for the first dimension of tensors that are concatenated. Loading does not change the
/// earlier state, which can be loaded again afterwards.
pub trait Metric: Send {
    /// The metric's name, such as `Accuracy`.
    fn name(&self) -> &'static str;

    /// Returns the value over all batches since the metric was created or reset, on their device. Its dtype is f64, or f32 on
    /// Apple's GPUs, which have no f64, unless the metric documents another.
    ///
    /// It may wait for the device, to check what `update` cannot, such as whether labels were in range.
    ///
    /// # Errors
    /// [`MetricError::NoUpdates`] if there was no batch (torchmetrics warns, and returns 0, NaN or an infinity);
    /// [`MetricError::Values`] if labels were out of range or there were too few samples.
    fn compute(&self) -> Result<Tensor, MetricError>;

    /// Returns the value of only the last batch, as `forward` does. It does not synchronize, and so does not detect labels
    /// out of range.
    ///
    /// # Errors
    /// [`MetricError::NoUpdates`] if there was no batch since the metric was created, reset or loaded.
    fn batch_value(&self) -> Result<Tensor, MetricError>;

    /// Removes all batches. The next one may be on another device.
    fn reset(&self);

    /// Returns copies of the accumulated tensors with their names, and last the number of batches, `updates`. They are on the
    /// device of the batches, or on the CPU if there were none.
    ///
    /// # Errors
    /// [`MetricError::Libtorch`] if an operation of libtorch fails.
    fn state(&self) -> Result<Vec<(String, Tensor)>, MetricError>;

    /// Returns the reduction by which each tensor of [`state`](Self::state) is joined with those of other processes, in the
    /// same order.
    fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)>;

    /// Replaces the state by one that [`state`](Self::state) returned for a metric with the same options, in any order and from
    /// any device; the next update moves it to its own.
    ///
    /// # Errors
    /// [`MetricError::State`] with every name that is missing, unexpected or of another shape; then nothing is loaded.
    fn load_state(&self, state: Vec<(String, Tensor)>) -> Result<(), MetricError>;

    /// Prepends an earlier state, as if its batches had come before those of this metric. A run that is resumed within an epoch
    /// adds the first part of the epoch by it. The default joins each tensor by [`dist_reduce_fx`](Self::dist_reduce_fx) and
    /// loads the result.
    ///
    /// # Errors
    /// As [`load_state`](Self::load_state), and [`MetricError::Libtorch`] if an operation of libtorch fails.
    fn join_state(&self, earlier: Vec<(String, Tensor)>) -> Result<(), MetricError> {
        let joined = joined(earlier, self.state()?, self.dist_reduce_fx());
        self.load_state(joined.map_err(|error| MetricError::libtorch(self.name(), "join two states", error))?)
    }

    /// Returns an identifier of the state, the same for all handles to it, such as the address of the shared value. The log
    /// uses it to recognize a metric that is logged under two names. With `None`, the default, each name counts as a separate
    /// metric.
    fn state_id(&self) -> Option<usize> {
        None
    }

    /// Returns another handle to the same state.
    fn shallow_clone(&self) -> Box<dyn Metric>;
}

/// Joins two states. A tensor that only the later one has is left unchanged.
pub(super) fn joined(
    earlier: Vec<(String, Tensor)>,
    later: Vec<(String, Tensor)>,
    dist_reduce_fx: Vec<(String, DistReduceFx)>,
) -> Result<Vec<(String, Tensor)>, TchError> {
    let mut earlier: HashMap<String, Tensor> = earlier.into_iter().collect();
    let dist_reduce_fx: HashMap<String, DistReduceFx> = dist_reduce_fx.into_iter().collect();
    let join = |(name, later): (String, Tensor)| {
        let both = match (dist_reduce_fx.get(&name), earlier.remove(&name)) {
            (Some(dist_reduce_fx), Some(earlier)) => {
                dist_reduce_fx.join(&earlier, &later.f_to_device(earlier.device())?)?
            }
            _ => later,
        };
        Ok((name, both))
    };
    later.into_iter().map(join).collect()
}

/// The reduction that joins the states of two batches, or of two processes: torchmetrics'
/// [`dist_reduce_fx`](https://lightning.ai/docs/torchmetrics/stable/references/metric.html#torchmetrics.Metric.add_state).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DistReduceFx {
    /// The sum.
    Sum,
    /// The elementwise minimum.
    Min,
    /// The elementwise maximum.
    Max,
    /// The concatenation along the first dimension.
    Cat,
}

impl DistReduceFx {
    /// Joins two parts of a state.
    ///
    /// ```
    /// use tch::Tensor;
    /// use tch_lightning::metrics::DistReduceFx;
    ///
    /// let (one, other) = (Tensor::from_slice(&[1i64, 5]), Tensor::from_slice(&[3i64, 4]));
    /// assert_eq!(DistReduceFx::Max.join(&one, &other)?, Tensor::from_slice(&[3i64, 5]));
    /// assert_eq!(DistReduceFx::Cat.join(&one, &other)?, Tensor::from_slice(&[1i64, 5, 3, 4]));
    /// # Ok::<(), tch::TchError>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn join(self, one: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Sum => one.f_add(other),
            Self::Min => one.f_minimum(other),
            Self::Max => one.f_maximum(other),
            Self::Cat => Tensor::f_cat(&[one, other], 0),
        }
    }
}
