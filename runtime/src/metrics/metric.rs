use std::collections::HashMap;

use tch::{TchError, Tensor};

use super::MetricError;

/// A value that is accumulated over batches: what the log, checkpoints and several processes need of it.
///
/// A metric is a handle, as a [`Tensor`] is: its clones share one state, so that a model may update what the log computes
/// at the end of the epoch and resets. The update itself takes what the metric is made of, and is a method of its own:
/// [`Accuracy::update`](super::Accuracy::update).
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
/// Each process accumulates its own batches. The value over all of them is that of the joined states: gather
/// [`state`](Self::state), join each tensor as [`dist_reduce_fx`](Self::dist_reduce_fx) says, and load the result. A process
/// without any batch has a state too, so that all can take part; the shapes are the same everywhere, but for the first
/// dimension of those that are concatenated. The tensors from before the load are not changed by it, and may be loaded again.
pub trait Metric: Send {
    /// The metric's name, such as `Accuracy`.
    fn name(&self) -> &'static str;

    /// The value over all batches since the metric was made or reset, on their device. It is f64, or f32 on Apple's GPUs,
    /// which have no f64, unless the metric says otherwise; so is its shape.
    ///
    /// It may wait for the device, as it looks at what `update` could not: whether labels were in range.
    ///
    /// # Errors
    /// [`MetricError::NoUpdates`] where there was no batch: torchmetrics warns, and returns 0, NaN or an infinity.
    /// [`MetricError::Values`] where labels were out of range or there were too few samples.
    fn compute(&self) -> Result<Tensor, MetricError>;

    /// The value of the last batch alone, as `forward` returned it or would have. It does not wait for the device, and so
    /// says nothing of labels out of range.
    ///
    /// # Errors
    /// [`MetricError::NoUpdates`] where there was no batch since the metric was made, reset or loaded.
    fn batch_value(&self) -> Result<Tensor, MetricError>;

    /// Forgets all batches. The next one may be on another device.
    fn reset(&self);

    /// All that was accumulated, as tensors under their names, and last the count of batches, `updates`. They are on the
    /// batches' device, and before the first on the CPU. They are copies: later updates do not change them.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn state(&self) -> Result<Vec<(String, Tensor)>, MetricError>;

    /// How each tensor of [`state`](Self::state) is joined with those of other processes, in the same order.
    fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)>;

    /// Replaces what was accumulated by a state that [`state`](Self::state) gave for a metric with the same options, in
    /// any order, from any device: the next update takes it to its own.
    ///
    /// # Errors
    /// [`MetricError::State`] with every name that is missing, unexpected or of another shape; nothing is loaded then.
    fn load_state(&self, state: Vec<(String, Tensor)>) -> Result<(), MetricError>;

    /// Adds what was accumulated earlier, as if its batches had come before those that this metric has seen: a run that is
    /// resumed within an epoch gets the epoch's first part so. By default each tensor is joined as
    /// [`dist_reduce_fx`](Self::dist_reduce_fx) says, and the result is loaded.
    ///
    /// # Errors
    /// As [`load_state`](Self::load_state), and when libtorch refuses.
    fn join_state(&self, earlier: Vec<(String, Tensor)>) -> Result<(), MetricError> {
        let joined = joined(earlier, self.state()?, self.dist_reduce_fx());
        self.load_state(joined.map_err(|error| MetricError::libtorch(self.name(), "join two states", error))?)
    }

    /// What tells this state from that of every other metric: the same for all handles of one state, as the address of what
    /// they share. The log needs it where one metric is logged under two names. `None`, the default, for a metric that does
    /// not say: each name then counts as a metric of its own.
    fn state_id(&self) -> Option<usize> {
        None
    }

    /// Another handle of the same state.
    fn shallow_clone(&self) -> Box<dyn Metric>;
}

/// Two states as one. A tensor that only the later one has stays as it is.
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

/// How two parts of a state become one: those of two batches, or of two processes. torchmetrics'
/// [`dist_reduce_fx`](https://lightning.ai/docs/torchmetrics/stable/references/metric.html#torchmetrics.Metric.add_state).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistReduceFx {
    /// Their sum.
    Sum,
    /// The smaller of both, element by element.
    Min,
    /// The larger of both, element by element.
    Max,
    /// One behind the other, along the first dimension.
    Cat,
}

impl DistReduceFx {
    /// The whole of two parts of a state.
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
    /// When the shapes do not fit.
    pub fn join(self, one: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Sum => one.f_add(other),
            Self::Min => one.f_minimum(other),
            Self::Max => one.f_maximum(other),
            Self::Cat => Tensor::f_cat(&[one, other], 0),
        }
    }
}
