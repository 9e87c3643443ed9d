use super::LogError;
use super::accumulator::{Accumulator, Reduction};
use super::saved::ResumedMetric;
use super::value::{LogValue, scalar};
use crate::hook::Hook;
use crate::metrics::{Metric, MetricError};
use tch::Tensor;

/// What tells one logged value from another.
pub(super) struct Name<'a> {
    pub(super) hook: Hook,
    pub(super) base: &'a str,
    pub(super) dataloader_idx: Option<usize>,
}

/// What one loop has logged.
#[derive(Default)]
pub(crate) struct Log {
    pub(super) logged: Vec<Logged>,
    /// Whether the epoch has come to its end, so that its values can be read.
    pub(super) ended: bool,
}

pub(super) struct Logged {
    pub(super) hook: Hook,
    pub(super) name: String,
    pub(super) dataloader_idx: Option<usize>,
    /// The last step's value in this epoch.
    pub(super) last: Option<Scalar>,
    pub(super) epoch: Accumulator,
    /// The metric that was logged in place of numbers; the model updates it.
    pub(super) metric: Option<Box<dyn Metric>>,
    /// What the metric had accumulated before the run was resumed, until it is logged again.
    pub(super) resumed: Option<ResumedMetric>,
    /// The value of the last epoch that ended, or of its last step.
    pub(super) finished: Option<f64>,
    pub(super) on_step: bool,
    pub(super) on_epoch: bool,
    pub(super) prog_bar: bool,
    pub(super) logger: bool,
}

/// What is to happen to a logged value.
#[derive(Clone, Copy)]
pub(super) struct Destinations {
    pub(super) on_step: bool,
    pub(super) on_epoch: bool,
    pub(super) prog_bar: bool,
    pub(super) logger: bool,
    pub(super) reduction: Reduction,
    pub(super) weight: f64,
}

/// A single value, wherever it is.
pub(super) enum Scalar {
    Tensor(Tensor),
    Number(f64),
}

impl Scalar {
    /// The number. Waits for the device.
    fn to_f64(&self) -> f64 {
        match self {
            Self::Tensor(tensor) => tensor.f_double_value(&[]).unwrap_or(f64::NAN),
            Self::Number(number) => *number,
        }
    }
}

impl Logged {
    fn add(&mut self, value: LogValue, to: Destinations) -> Result<(), LogError> {
        let Destinations { on_step, on_epoch, prog_bar, logger, weight, .. } = to;
        (self.on_step, self.on_epoch, self.prog_bar, self.logger) = (on_step, on_epoch, prog_bar, logger);
        let last = match value {
            LogValue::Tensor(tensor) => {
                let value = scalar(&tensor)?;
                if on_epoch {
                    self.epoch.add_tensor(value.shallow_clone(), weight)?;
                }
                Scalar::Tensor(value)
            }
            LogValue::Number(number) => {
                if on_epoch {
                    self.epoch.add_number(number, weight);
                }
                Scalar::Number(number)
            }
            LogValue::Metric(metric) => return self.add_metric(metric, to),
        };
        self.last = on_step.then_some(last);
        Ok(())
    }

    fn add_metric(&mut self, metric: Box<dyn Metric>, to: Destinations) -> Result<(), LogError> {
        if to.on_step {
            let failed = |source| LogError::Metric { name: self.name.clone(), source };
            let value = metric.batch_value().map_err(failed)?;
            if value.numel() != 1 {
                return Err(LogError::Shape { name: self.name.clone(), shape: value.size() });
            }
            self.last = Some(Scalar::Tensor(scalar(&value)?));
        }
        if to.on_epoch {
            self.join_resumed(metric.as_ref())?;
            self.metric = Some(metric);
        }
        Ok(())
    }

    fn suffix(&self) -> String {
        self.dataloader_idx.map(|index| format!("/dataloader_idx_{index}")).unwrap_or_default()
    }

    fn bare_name(&self) -> String {
        format!("{}{}", self.name, self.suffix())
    }

    fn step_name(&self) -> String {
        let fork = if self.on_epoch { "_step" } else { "" };
        format!("{}{fork}{}", self.name, self.suffix())
    }

    fn epoch_name(&self) -> String {
        let fork = if self.on_step { "_epoch" } else { "" };
        format!("{}{fork}{}", self.name, self.suffix())
    }

    fn step_value(&self) -> Option<f64> {
        self.last.as_ref().filter(|_| self.on_step).map(Scalar::to_f64)
    }

    /// The value of the epoch so far, or nothing where nothing was logged. Waits for the device.
    fn epoch_value(&self) -> Result<Option<f64>, LogError> {
        let resumed = self.resumed.as_ref().and_then(|resumed| resumed.value.as_ref());
        let value = match (&self.metric, resumed) {
            (Some(metric), _) => metric.compute(),
            (None, Some(value)) => Ok(value.shallow_clone()),
            (None, None) => return Ok(self.epoch.value()?),
        };
        let name = || self.name.clone();
        match value {
            Ok(value) if value.numel() == 1 => Ok(Some(scalar(&value)?.f_double_value(&[])?)),
            Ok(value) => Err(LogError::Shape { name: name(), shape: value.size() }),
            Err(MetricError::NoUpdates { .. }) => Ok(None),
            Err(source) => Err(LogError::Metric { name: name(), source }),
        }
    }

    /// The next epoch begins.
    fn reset(&mut self) {
        self.last = None;
        self.resumed = None;
        self.epoch.reset();
        if let Some(metric) = &self.metric {
            metric.reset();
        }
    }
}

/// The values of an epoch under the names that loggers, callbacks and the progress bar know them by.
#[derive(Default)]
pub(crate) struct EpochMetrics {
    pub(crate) row: Vec<(String, f64)>,
    pub(crate) callback: Vec<(String, f64)>,
}

impl Log {
    /// Records a value.
    pub(super) fn record(&mut self, name: &Name<'_>, value: LogValue, to: Destinations) -> Result<(), LogError> {
        self.entry(name, to.reduction).add(value, to)
    }

    /// From here on the epoch's values are read.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    fn entry(&mut self, name: &Name<'_>, reduction: Reduction) -> &mut Logged {
        let same = |logged: &Logged| {
            logged.hook == name.hook && logged.dataloader_idx == name.dataloader_idx && logged.name == name.base
        };
        let index = self.logged.iter().position(same).unwrap_or(self.logged.len());
        if index == self.logged.len() {
            self.logged.push(Logged {
                hook: name.hook,
                name: name.base.to_owned(),
                dataloader_idx: name.dataloader_idx,
                last: None,
                epoch: Accumulator::new(reduction),
                metric: None,
                resumed: None,
                finished: None,
                on_step: false,
                on_epoch: false,
                prog_bar: false,
                logger: true,
            });
        }
        let logged = &mut self.logged[index];
        if logged.epoch.reduction() != reduction {
            logged.epoch = Accumulator::new(reduction);
        }
        logged
    }

    /// The row of a step. Waits for the device.
    pub(crate) fn step_row(&self) -> Vec<(String, f64)> {
        let logged = self.logged.iter().filter(|logged| logged.logger);
        logged.filter_map(|logged| Some((logged.step_name(), logged.step_value()?))).collect()
    }

    /// What callbacks see: in training the last step's values, and at the end of an epoch its own, each under the name with
    /// and without `_step` and `_epoch`. Waits for the device.
    pub(crate) fn callback_metrics(&self, training: bool) -> Vec<(String, f64)> {
        let mut metrics = Vec::new();
        for logged in &self.logged {
            if training && let Some(step) = logged.step_value() {
                metrics.extend([(logged.step_name(), step), (logged.bare_name(), step)]);
            }
            if self.ended
                && let Ok(Some(value)) = logged.epoch_value()
            {
                metrics.extend([(logged.epoch_name(), value), (logged.bare_name(), value)]);
            }
        }
        metrics
    }

    pub(crate) fn progress_bar(&self) -> Vec<(String, f64)> {
        let shown = self.logged.iter().filter(|logged| logged.prog_bar);
        shown.filter_map(|logged| Some((logged.bare_name(), logged.step_value().or(logged.finished)?))).collect()
    }

    /// The values of the epoch, which begins anew. Waits for the device.
    pub(crate) fn end_epoch(&mut self, training: bool) -> Result<EpochMetrics, LogError> {
        self.ended = true;
        let mut metrics = EpochMetrics { row: Vec::new(), callback: self.callback_metrics(training) };
        for logged in &mut self.logged {
            let value = logged.epoch_value()?;
            if logged.logger {
                metrics.row.extend(value.map(|value| (logged.epoch_name(), value)));
            }
            logged.finished = value.or(logged.step_value()).or(logged.finished);
            logged.reset();
        }
        self.ended = false;
        Ok(metrics)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.logged.iter_mut().for_each(Logged::reset);
        self.logged.clear();
        self.ended = false;
    }
}
