use tch::Tensor;

use super::{Metric, MetricError};

/// A metric of predictions and targets, such as [`Accuracy`](super::Accuracy), as a [`MetricCollection`] has them.
pub trait ComparisonMetric: Metric {
    /// Adds a batch.
    ///
    /// # Errors
    /// Those of the metric.
    fn update(&self, preds: &Tensor, target: &Tensor) -> Result<(), MetricError>;
}

/// Several metrics of the same predictions and targets, with their names: torchmetrics'
/// [`MetricCollection`](https://lightning.ai/docs/torchmetrics/stable/pages/overview.html#metriccollection).
///
/// ```
/// use tch_lightning::metrics::{Accuracy, F1Score, MetricCollection};
/// use tch_lightning::prelude::*;
/// # struct Model { vs: nn::VarStore, net: nn::Linear, metrics: MetricCollection }
///
/// # #[lightning_module]
/// # impl Model {
/// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// fn new() -> Self {
///     // …
/// #     let vs = nn::VarStore::new(Device::Cpu);
/// #     let net = nn::linear(vs.root(), 4, 3, Default::default());
///     let metrics = MetricCollection::new()
///         .with("val_acc", Accuracy::multiclass(3))
///         .with("val_f1", F1Score::multiclass(3));
///     Self { vs, net, metrics }
/// }
///
/// fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
///     let (inputs, labels) = batch;
///     self.metrics.update(&self.net.forward(inputs), labels)?;
///     ctx.log_all(&self.metrics);
///     Ok(())
/// }
/// # fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor { self.net.forward(&batch.0).sum(Kind::Float) }
/// # fn configure_optimizers(&mut self) -> Sgd { Sgd::new(0.1) }
/// # }
/// #
/// # let mut model = Model::new();
/// # let labels = Tensor::from_slice(&[0i64, 1, 2, 0]);
/// # model.metrics.update(&labels, &labels)?;
/// # let values = model.metrics.compute()?;
/// # assert_eq!(values.iter().map(|(name, value)| (name.as_str(), value.double_value(&[]))).collect::<Vec<_>>(), [("val_acc", 1.0), ("val_f1", 1.0)]);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Default)]
pub struct MetricCollection {
    metrics: Vec<(String, Box<dyn ComparisonMetric>)>,
}

impl MetricCollection {
    /// Creates a collection without metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metric. A name that is already there stands for the new metric.
    pub fn with(mut self, name: impl Into<String>, metric: impl ComparisonMetric + 'static) -> Self {
        let name = name.into();
        self.metrics.retain(|(known, _)| *known != name);
        self.metrics.push((name, Box::new(metric)));
        self
    }

    /// Adds a batch to each metric.
    ///
    /// # Errors
    /// That of the first metric that does not accept the batch. Those before it have added the batch, and those after it have not.
    pub fn update(&self, preds: &Tensor, target: &Tensor) -> Result<(), MetricError> {
        self.metrics.iter().try_for_each(|(_, metric)| metric.update(preds, target))
    }

    /// Returns the value of each metric over all batches, with its name, in the order in which they were added.
    ///
    /// # Errors
    /// Those of [`Metric::compute`].
    pub fn compute(&self) -> Result<Vec<(String, Tensor)>, MetricError> {
        self.metrics.iter().map(|(name, metric)| Ok((name.clone(), metric.compute()?))).collect()
    }

    /// Removes all batches.
    pub fn reset(&self) {
        self.metrics.iter().for_each(|(_, metric)| metric.reset());
    }

    /// Returns another handle to each metric, with its name, as [`Context::log_all`](crate::Context::log_all) takes them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Box<dyn Metric>)> {
        self.metrics.iter().map(|(name, metric)| (name.as_str(), metric.shallow_clone()))
    }
}

impl<'a> IntoIterator for &'a MetricCollection {
    type Item = (&'a str, Box<dyn Metric>);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl std::fmt::Debug for MetricCollection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entries(self.metrics.iter().map(|(name, metric)| (name, metric.name()))).finish()
    }
}
