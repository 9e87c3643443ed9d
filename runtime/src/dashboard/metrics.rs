//! The logged metrics, as curves and as a table of epochs.

use super::curve::Curve;
use crate::metric_groups::{Group, Section, groups};
use indexmap::{IndexMap, IndexSet};
use std::collections::BTreeMap;

/// The number of epochs in the table, the newest ones.
const MOST_EPOCHS: usize = 1000;

/// Names that are positions of a row, and not metrics.
const POSITIONS: [&str; 3] = ["step", "epoch", "time"];

/// The metrics that were logged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    curves: IndexMap<String, Curve>,
    /// The last value of each metric in each epoch, by the index of the metric.
    epochs: BTreeMap<usize, Vec<Option<f64>>>,
    /// The charts, which change with a new name only.
    charts: Vec<Group>,
}

impl Metrics {
    /// Adds a row.
    pub(crate) fn add<'a>(&mut self, step: f64, epoch: Option<usize>, row: impl Iterator<Item = (&'a str, f64)>) {
        let known = self.curves.len();
        for (name, value) in row.filter(|(name, _)| !POSITIONS.contains(name)) {
            let index = self.curves.get_index_of(name);
            let index = index.unwrap_or_else(|| self.curves.insert_full(name.to_owned(), Curve::new()).0);
            self.curves[index].add(step, value);
            if let Some(epoch) = epoch {
                let values = self.epochs.entry(epoch).or_default();
                values.resize(values.len().max(index + 1), None);
                values[index] = Some(value);
            }
        }
        if self.curves.len() > known {
            let names: IndexSet<&str> = self.curves.keys().map(String::as_str).collect();
            self.charts = groups(&names);
            self.charts.sort_by_key(|group| group.section != Section::Metrics);
        }
        while self.epochs.len() > MOST_EPOCHS {
            self.epochs.pop_first();
        }
    }

    /// The charts: metrics that share one are those of training and validation, and of steps and epochs.
    pub(super) fn charts(&self) -> &[Group] {
        &self.charts
    }

    pub(super) fn curve(&self, name: &str) -> Option<&Curve> {
        self.curves.get(name)
    }

    /// The names of the metrics for the table of epochs, in the order of the charts: without the values per step of those that have one per
    /// epoch.
    pub(super) fn epoch_names(&self) -> impl Iterator<Item = &str> {
        let members = self.charts.iter().flat_map(|chart| &chart.members);
        members.filter(|member| !member.is_step).map(|member| member.metric.as_str())
    }

    /// The epochs, the newest first.
    pub(super) fn epochs(&self) -> impl Iterator<Item = usize> {
        self.epochs.keys().rev().copied()
    }

    /// The last value of a metric in an epoch.
    pub(super) fn value(&self, epoch: usize, name: &str) -> Option<f64> {
        let index = self.curves.get_index_of(name)?;
        *self.epochs.get(&epoch)?.get(index)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_have_the_last_value_of_each_metric() {
        let mut metrics = Metrics::default();
        metrics.add(0.0, Some(0), [("train_loss", 2.0), ("epoch", 0.0)].into_iter());
        metrics.add(9.0, Some(0), [("train_loss", 1.0)].into_iter());
        metrics.add(9.0, Some(0), [("val_acc", 0.5)].into_iter());
        metrics.add(19.0, Some(1), [("train_loss", 0.5)].into_iter());
        assert_eq!(metrics.epochs().collect::<Vec<_>>(), [1, 0]);
        assert_eq!(metrics.epoch_names().collect::<Vec<_>>(), ["train_loss", "val_acc"]);
        assert_eq!((metrics.value(0, "train_loss"), metrics.value(0, "val_acc")), (Some(1.0), Some(0.5)));
        assert_eq!((metrics.value(1, "train_loss"), metrics.value(1, "val_acc")), (Some(0.5), None));
        metrics.add(19.0, Some(1), [("grad_step", 1.0), ("grad_epoch", 2.0)].into_iter());
        assert_eq!(metrics.epoch_names().collect::<Vec<_>>(), ["train_loss", "val_acc", "grad_epoch"]);
    }
}
