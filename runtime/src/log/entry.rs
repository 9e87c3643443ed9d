use super::LogError;
use super::accumulator::Accumulator;
use super::arguments::Arguments;
use super::key::Key;
use super::logged_metrics::LoggedMetrics;
use super::scalar::Scalar;
use super::value::Taken;
use crate::metrics::Metric;

/// The values logged under one name in one hook.
pub(super) struct Logged {
    pub(super) arguments: Arguments,
    /// Nothing before the first value.
    pub(super) kept: Option<Kept>,
    /// The last step's value in this epoch.
    pub(super) last: Option<Scalar>,
    /// The value of the epoch over all processes, until another value is added.
    pub(super) joined: Option<f64>,
    /// Whether it was logged in this epoch.
    pub(super) is_current: bool,
    /// The value of the last epoch that ended, or of its last step.
    pub(super) finished: Option<f64>,
    /// Whether it comes from a checkpoint and has not been logged since.
    pub(super) is_restored: bool,
    /// Whether it is a metric of which it was reported that it is never updated.
    pub(super) is_known_without_updates: bool,
}

/// The accumulated values of an epoch.
pub(super) enum Kept {
    Values(Accumulator),
    /// The index of a metric.
    Metric(usize),
}

impl Logged {
    pub(super) fn new(arguments: Arguments) -> Self {
        Self {
            arguments,
            kept: None,
            last: None,
            joined: None,
            is_current: false,
            finished: None,
            is_restored: false,
            is_known_without_updates: false,
        }
    }

    /// Checks a further log call against those before. The first one after a resume may differ in what changes no value of
    /// the epoch, as the program may have been changed.
    pub(super) fn check(
        &mut self,
        key: &Key,
        value: &Taken,
        arguments: Arguments,
        metrics: &LoggedMetrics,
    ) -> Result<(), LogError> {
        let values = self.differing_values(value, arguments, metrics);
        if self.is_restored && values.is_none() && self.arguments.accumulate_as(arguments) {
            self.arguments = arguments;
        }
        let differences: Vec<String> = values.into_iter().chain(self.arguments.differences(arguments)).collect();
        if differences.is_empty() {
            return Ok(());
        }
        let (name, hook, differences) = (key.name.clone(), key.hook, differences.join("; "));
        Err(match self.is_restored {
            true => LogError::ResumedArguments { name, hook, differences },
            false => LogError::Arguments { name, hook, differences },
        })
    }

    /// How the value is of another kind than those before, in words.
    fn differing_values(&self, value: &Taken, arguments: Arguments, metrics: &LoggedMetrics) -> Option<String> {
        let named = |metric: &dyn Metric| format!("the metric {}", metric.name());
        let (one, other) = match (self.kept.as_ref()?, value) {
            (Kept::Values(_), Taken::Scalar(_)) => return None,
            (Kept::Values(_), Taken::Metric(metric)) => ("a number".to_owned(), named(&**metric)),
            (Kept::Metric(index), Taken::Scalar(_)) => {
                (metrics.get(*index).handle().map_or("a metric".to_owned(), named), "a number".to_owned())
            }
            (Kept::Metric(index), Taken::Metric(metric)) => {
                // an epoch has one metric; the values of its steps may be those of several
                let before = metrics.get(*index).handle().filter(|_| self.is_current && arguments.on_epoch)?;
                if !metrics.is_another(*index, &**metric) {
                    return None;
                }
                (named(before), format!("another {}", metric.name()))
            }
        };
        Some(format!("the value is {one}, then {other}"))
    }

    pub(super) fn has_accumulated(&self, metrics: &LoggedMetrics) -> bool {
        match &self.kept {
            None => false,
            Some(Kept::Values(values)) => !values.is_empty(),
            Some(Kept::Metric(index)) => metrics.get(*index).has_accumulated(),
        }
    }

    /// Whether it is a metric whose value for the epoch was requested.
    pub(super) fn is_metric_of_epoch(&self) -> bool {
        self.arguments.on_epoch && matches!(self.kept, Some(Kept::Metric(_)))
    }

    /// The number of the loader as a suffix, where there are several and the log call does not leave it out.
    fn suffix(&self, key: &Key) -> String {
        if self.arguments.add_dataloader_idx { key.suffix() } else { String::new() }
    }

    pub(super) fn bare_name(&self, key: &Key) -> String {
        format!("{}{}", key.name, self.suffix(key))
    }

    pub(super) fn step_name(&self, key: &Key) -> String {
        let fork = if self.arguments.on_epoch { "_step" } else { "" };
        format!("{}{fork}{}", key.name, self.suffix(key))
    }

    pub(super) fn epoch_name(&self, key: &Key) -> String {
        let fork = if self.arguments.on_step { "_epoch" } else { "" };
        format!("{}{fork}{}", key.name, self.suffix(key))
    }

    /// All column names of its values.
    pub(super) fn columns(&self, key: &Key) -> impl Iterator<Item = String> {
        let is_forked = self.arguments.on_step && self.arguments.on_epoch;
        let forks = is_forked.then(|| [self.step_name(key), self.epoch_name(key)]);
        std::iter::once(self.bare_name(key)).chain(forks.into_iter().flatten())
    }

    /// The last step's value, if it is logged on steps. Waits for the device.
    pub(super) fn step_value(&self) -> Option<f64> {
        self.last.as_ref().filter(|_| self.arguments.on_step).map(Scalar::to_f64)
    }

    /// Starts the next epoch.
    pub(super) fn reset(&mut self) {
        (self.last, self.joined) = (None, None);
        self.is_current = false;
        self.is_restored = false;
        if let Some(Kept::Values(values)) = &mut self.kept {
            values.reset();
        }
    }
}
