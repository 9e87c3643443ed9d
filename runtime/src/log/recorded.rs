use super::LogError;
use super::accumulator::Accumulator;
use super::arguments::Arguments;
use super::columns::Columns;
use super::entry::{Kept, Logged};
use super::key::{Key, Name};
use super::logged_metrics::{LoggedMetric, LoggedMetrics, MetricState};
use super::of_rank::Loaders;
use super::scalar::Scalar;
use super::value::Taken;
use crate::metrics::{Metric, MetricError};
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};
use tch::Tensor;

/// The values that one loop has logged.
#[derive(Default)]
pub(crate) struct Log {
    /// In the order in which the names were first logged.
    pub(super) logged: IndexMap<Key, Logged>,
    pub(super) metrics: LoggedMetrics,
    pub(super) columns: Columns,
    /// The indices of the values of the running step that several processes join.
    pub(super) steps_to_join: Vec<usize>,
    /// The names of the values whose epoch is that of each process alone, of which a warning was printed.
    pub(super) not_joined: BTreeSet<String>,
    /// Whether the epoch has come to its end, so that its values can be read.
    ended: bool,
    /// Whether a batch was trained on in this epoch, since the run was resumed.
    has_batches: bool,
    /// The loaders that an evaluation has taken batches from.
    evaluated: Loaders,
    /// The number of marks so far.
    pub(super) mark: u64,
}

/// The values of an epoch, by their names for loggers, callbacks and the progress bar.
#[derive(Default)]
pub(crate) struct EpochMetrics {
    pub(crate) row: Vec<(String, f64)>,
    pub(crate) callback: Vec<(String, f64)>,
    /// The metrics without a value, as they were logged and never updated, that were not among these before.
    pub(crate) never_updated: Vec<String>,
}

impl Log {
    /// Records a value, which counts `weight` times in a mean. `other` is what the other loop has logged.
    pub(crate) fn record(
        &mut self,
        name: Name<'_>,
        value: Taken,
        arguments: Arguments,
        weight: f64,
        other: &Self,
    ) -> Result<(), LogError> {
        let index = self.admit(name, &value, arguments, &other.columns)?;
        let logged = &mut self.logged[index];
        let last = match value {
            Taken::Metric(metric) => {
                if other.metrics.counts_in(&*metric, arguments.on_epoch) {
                    return Err(LogError::MetricOfLoops { name: name.name.to_owned() });
                }
                let last = arguments.on_step.then(|| batch_value(&*metric, name.name)).transpose()?;
                let put = match logged.kept {
                    Some(Kept::Metric(index)) => self.metrics.replace(index, metric),
                    _ => self.metrics.add(metric),
                };
                let put = put.map_err(|source| LogError::Metric { name: name.name.to_owned(), source })?;
                logged.kept = Some(Kept::Metric(put));
                if let Some(first) = self.metrics.note(put, name.dataloader_idx, arguments.on_epoch) {
                    let (name, second) = (name.name.to_owned(), name.dataloader_idx.unwrap_or_default());
                    return Err(LogError::MetricOfLoaders { name, first, second });
                }
                last
            }
            Taken::Scalar(value) => {
                let kept = logged.kept.get_or_insert_with(|| Kept::Values(Accumulator::new(arguments.reduction)));
                if let (Kept::Values(values), true) = (kept, arguments.on_epoch) {
                    values.add(&value, weight, self.mark)?;
                }
                arguments.on_step.then_some(value)
            }
        };
        (logged.last, logged.joined) = (last, None);
        (logged.is_current, logged.is_restored) = (true, false);
        Ok(())
    }

    /// Returns the index of an entry, which is created for a new name. The log call must agree with earlier ones, and its columns must not
    /// be `others`.
    fn admit(
        &mut self,
        name: Name<'_>,
        value: &Taken,
        arguments: Arguments,
        others: &Columns,
    ) -> Result<usize, LogError> {
        let Some(index) = self.logged.get_index_of(&name) else {
            let (key, logged) = (name.into(), Logged::new(arguments));
            self.columns.take(&key, &logged, others)?;
            return Ok(self.logged.insert_full(key, logged).0);
        };
        let Some((key, logged)) = self.logged.get_index_mut(index) else { return Ok(index) };
        if logged.is_restored && !logged.has_accumulated(&self.metrics) {
            if let Some(Kept::Metric(index)) = logged.kept {
                self.metrics.forget_name(index);
            }
            *logged = Logged { finished: logged.finished, ..Logged::new(arguments) };
        }
        logged.check(key, value, arguments, &self.metrics)?;
        if logged.is_restored {
            self.columns.take(key, logged, others)?;
        }
        Ok(index)
    }

    /// A batch is trained on.
    pub(crate) fn begin_batch(&mut self) {
        self.has_batches = true;
    }

    /// A batch is evaluated, of one of several loaders if there is an index.
    pub(crate) fn begin_evaluated_batch(&mut self, dataloader_idx: Option<usize>) {
        self.evaluated.has_batches = true;
        self.evaluated.indices.extend(dataloader_idx);
        self.set_mark();
    }

    /// The loaders that batches came from in this epoch.
    pub(super) fn loaders(&self) -> Loaders {
        let Loaders { has_batches, indices } = self.evaluated.clone();
        Loaders { has_batches: has_batches || self.has_batches, indices }
    }

    /// Returns the names of metrics that were not logged since the run was resumed, so that their values for the epoch lack
    /// those batches.
    pub(crate) fn outdated(&self) -> impl Iterator<Item = &str> {
        let is_outdated = |logged: &Logged| match logged.kept {
            Some(Kept::Metric(index)) if logged.arguments.on_epoch => self.metrics.get(index).resumed().is_some(),
            _ => false,
        };
        let logged = self.logged.iter().filter(move |(_, logged)| self.has_batches && is_outdated(logged));
        logged.map(|(key, _)| key.name.as_str())
    }

    /// Sets a mark to which later values can be rolled back, until the next mark.
    pub(crate) fn set_mark(&mut self) {
        self.mark += 1;
    }

    /// Removes the values logged since the last mark. The states of metrics, which the module updates, are not changed.
    pub(crate) fn go_back(&mut self) {
        for logged in self.logged.values_mut() {
            if let Some(Kept::Values(values)) = &mut logged.kept {
                values.go_back(self.mark);
            }
        }
    }

    /// From here on the epoch's values are read.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The row of a step, in the loader that is running. Waits for the device.
    pub(crate) fn step_row(&self, dataloader_idx: Option<usize>) -> Vec<(String, f64)> {
        let logged = self.logged.iter();
        let logged = logged.filter(|(key, logged)| logged.arguments.logger && key.dataloader_idx == dataloader_idx);
        by_name(logged.filter_map(|(key, logged)| Some((logged.step_name(key), logged.step_value()?))))
    }

    /// Returns the values for callbacks: those of the last step in training, and those of the epoch at its end, under their
    /// names with and without `_step` and `_epoch`. Synchronizes.
    pub(crate) fn callback_metrics(&self, training: bool) -> Vec<(String, f64)> {
        let values = if self.ended { self.epoch_values() } else { Vec::new() };
        let values: Vec<Option<f64>> = values.into_iter().map(|value| value.ok().flatten()).collect();
        self.of_callbacks(training, &values)
    }

    fn of_callbacks(&self, training: bool, values: &[Option<f64>]) -> Vec<(String, f64)> {
        let mut metrics = Vec::new();
        for (index, (key, logged)) in self.logged.iter().enumerate() {
            if training && let Some(step) = logged.step_value() {
                metrics.extend([(logged.step_name(key), step), (logged.bare_name(key), step)]);
            }
            if let Some(Some(value)) = values.get(index) {
                metrics.extend([(logged.epoch_name(key), *value), (logged.bare_name(key), *value)]);
            }
        }
        metrics
    }

    /// Returns the values with `.prog_bar()`. Synchronizes.
    pub(crate) fn progress_bar(&self) -> Vec<(String, f64)> {
        let shown = self.logged.iter().filter(|(_, logged)| logged.arguments.prog_bar);
        by_name(
            shown.filter_map(|(key, logged)| Some((logged.bare_name(key), logged.step_value().or(logged.finished)?))),
        )
    }

    /// Returns the values of the epoch, and starts the next one. Synchronizes.
    pub(crate) fn end_epoch(&mut self, training: bool) -> Result<EpochMetrics, LogError> {
        self.ended = true;
        // one metric may have several names: all are read before any is reset
        let values: Vec<Option<f64>> = self.epoch_values().into_iter().collect::<Result<_, _>>()?;
        let of_loggers = self.logged.iter().zip(&values).filter(|((_, logged), _)| logged.arguments.logger);
        let row = by_name(of_loggers.filter_map(|((key, logged), value)| Some((logged.epoch_name(key), (*value)?))));
        let callback = self.of_callbacks(training, &values);
        let mut never_updated = Vec::new();
        for ((key, logged), value) in self.logged.iter_mut().zip(values) {
            if value.is_none() && logged.is_current && logged.is_metric_of_epoch() && !logged.is_known_without_updates {
                logged.is_known_without_updates = true;
                never_updated.push(key.name.clone());
            }
            logged.finished = value.or(logged.step_value()).or(logged.finished);
        }
        self.begin_epoch();
        Ok(EpochMetrics { row, callback, never_updated })
    }

    /// The epoch's value of each entry; nothing for those without. Waits for the device.
    fn epoch_values(&self) -> Vec<Result<Option<f64>, LogError>> {
        let mut of_metrics = HashMap::new();
        let value = |(key, logged): (&Key, &Logged)| match &logged.kept {
            _ if logged.joined.is_some() => Ok(logged.joined),
            Some(kept) if logged.is_current && logged.arguments.on_epoch => match kept {
                Kept::Values(values) => Ok(values.value()?),
                Kept::Metric(index) => match of_metrics.get(index) {
                    Some(value) => Ok(*value),
                    None => {
                        let value = metric_value(self.metrics.get(*index), &key.name)?;
                        of_metrics.insert(*index, value);
                        Ok(value)
                    }
                },
            },
            _ => Ok(None),
        };
        self.logged.iter().map(value).collect()
    }

    /// Drops the values of the epoch, and resets its metrics.
    pub(crate) fn begin_epoch(&mut self) {
        self.logged.values_mut().for_each(Logged::reset);
        self.metrics.reset();
        (self.ended, self.has_batches, self.evaluated) = (false, false, Loaders::default());
    }

    /// Returns the states of the metrics, to restore them.
    pub(crate) fn metric_states(&self) -> Result<Vec<MetricState>, MetricError> {
        self.metrics.states()
    }

    /// Forgets the metrics, which are the module's.
    pub(crate) fn release_metrics(&mut self) {
        self.metrics.release();
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.begin_epoch();
        *self = Self::default();
    }
}

/// One value for each name, as loggers get them: of several the last, at the index of the first.
fn by_name(values: impl Iterator<Item = (String, f64)>) -> Vec<(String, f64)> {
    values.collect::<IndexMap<_, _>>().into_iter().collect()
}

fn batch_value(metric: &dyn Metric, name: &str) -> Result<Scalar, LogError> {
    let value = metric.batch_value().map_err(|source| LogError::Metric { name: name.to_owned(), source })?;
    of_one_element(&value, name)
}

pub(super) fn metric_value(metric: &LoggedMetric, name: &str) -> Result<Option<f64>, LogError> {
    let value = metric.value().map_err(|source| LogError::Metric { name: name.to_owned(), source })?;
    Ok(value.map(|value| of_one_element(&value, name)).transpose()?.map(|value| value.to_f64()))
}

fn of_one_element(value: &Tensor, name: &str) -> Result<Scalar, LogError> {
    match value.numel() {
        1 => Scalar::of(value),
        _ => Err(LogError::Shape { name: name.to_owned(), shape: value.size() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reduction;
    use super::super::key::comparisons;
    use super::*;
    use crate::hook::Hook;

    fn log_all(log: &mut Log, names: &[String]) {
        let arguments = Arguments {
            on_step: true,
            on_epoch: true,
            prog_bar: true,
            logger: true,
            reduction: Reduction::Mean,
            add_dataloader_idx: true,
            sync_dist: None,
        };
        for name in names {
            for hook in [Hook::TrainingStep, Hook::OnTrainBatchEnd] {
                let name = Name { hook, dataloader_idx: None, name };
                log.record(name, Taken::Scalar(Scalar::Number(1.0)), arguments, 1.0, &Log::default()).unwrap();
            }
        }
    }

    #[test]
    fn name_is_found_among_any_number_of_names_by_about_one_comparison() {
        for number in [10, 100, 1_000, 10_000] {
            let names: Vec<String> = (0..number).map(|name| format!("name_{name}")).collect();
            let mut log = Log::default();
            log_all(&mut log, &names);
            comparisons::take();
            log_all(&mut log, &names);
            let comparisons = comparisons::take();
            assert!((2 * number..3 * number).contains(&comparisons), "{comparisons} for 2 times {number} names");
            assert_eq!(log.step_row(None).len(), 2 * number / 2);
        }
    }
}
