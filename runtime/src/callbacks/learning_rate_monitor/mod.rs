//! Logs learning rates.

mod names;

use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::messages;
use crate::module::{Callback, LightningModule};
use crate::optim::Optimizer;
use crate::schedule::Interval;
use crate::stage::Stage;
use anyhow::Result;
use names::{Values, watched};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Logs the learning rates of all optimizers, and optionally their momenta and weight decays. Lightning's
/// [`LearningRateMonitor`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateMonitor.html).
///
/// A rate is named after its scheduler's [`name`](crate::schedule::LrSchedulerConfig::name), if that is set, else `lr-` and
/// the algorithm's name in PyTorch, such as `lr-SGD`; further optimizers of the same algorithm are `lr-SGD-1`, `lr-SGD-2`, …
/// If there are several parameter groups, they are `lr-SGD/pg1`, `lr-SGD/pg2`, … The suffix `-momentum` denotes the momentum
/// (or the first of `betas`), and `-weight_decay` the weight decay.
///
/// Rows are logged before the batch or the epoch to which the rates apply. Callbacks can monitor the values.
///
/// ```
/// use tch_lightning::callbacks::LearningRateMonitor;
/// use tch_lightning::schedule::Interval;
///
/// let monitor = LearningRateMonitor::new().logging_interval(Interval::Step).log_momentum(true);
/// assert_eq!(monitor.log_key_prefix, "");
/// ```
///
/// # Errors
/// `fit` fails if the trainer does not have a logger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct LearningRateMonitor {
    /// Whether to log every `log_every_n_steps` steps, or at the beginning of epochs. Default none: at the interval of the
    /// optimizer's scheduler, or at both if it does not have one.
    pub logging_interval: Option<Interval>,
    /// Whether to log the momenta; 0 for algorithms without a momentum. Default false.
    pub log_momentum: bool,
    /// Whether to log the weight decays. Default false.
    pub log_weight_decay: bool,
    /// The prefix of each name, such as `optim/`. Default empty.
    pub log_key_prefix: String,
    #[serde(skip)]
    lrs: BTreeMap<String, Vec<f64>>,
}

impl LearningRateMonitor {
    /// Creates a monitor that logs the learning rates at the intervals of their schedulers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets when to log.
    pub fn logging_interval(self, interval: Interval) -> Self {
        Self { logging_interval: Some(interval), ..self }
    }

    /// Sets whether to log the momenta.
    pub fn log_momentum(self, log_momentum: bool) -> Self {
        Self { log_momentum, ..self }
    }

    /// Sets whether to log the weight decays.
    pub fn log_weight_decay(self, log_weight_decay: bool) -> Self {
        Self { log_weight_decay, ..self }
    }

    /// Sets the prefix of the names.
    pub fn log_key_prefix(self, prefix: impl Into<String>) -> Self {
        Self { log_key_prefix: prefix.into(), ..self }
    }

    /// The rates that the last `fit` logged, by name, the oldest first.
    pub fn lrs(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.lrs
    }

    fn log(&mut self, ctx: &mut RunContext, moment: Interval) -> Result<()> {
        if self.logging_interval.is_some_and(|interval| interval != moment) {
            return Ok(());
        }
        let row = self.row(ctx, moment);
        ctx.add_callback_metrics(row.iter().cloned());
        let step = ctx.logged_step();
        Ok(ctx.log_to_loggers(&row, step)?)
    }

    fn row(&mut self, ctx: &RunContext, moment: Interval) -> Vec<(String, f64)> {
        let mut row = Vec::new();
        for watched in watched(ctx, &self.log_key_prefix) {
            // a configured interval applies to all optimizers
            let is_due = self.logging_interval.or(watched.interval).is_none_or(|interval| interval == moment);
            for (name, values) in watched.groups().into_iter().filter(|_| is_due) {
                self.remember(&name, values.lr);
                self.add(&mut row, name, values);
            }
        }
        row
    }

    fn add(&self, row: &mut Vec<(String, f64)>, name: String, values: Values) {
        let momentum = self.log_momentum.then(|| (format!("{name}-momentum"), values.momentum.unwrap_or(0.0)));
        let weight_decay = self.log_weight_decay.then(|| (format!("{name}-weight_decay"), values.weight_decay));
        row.push((name, values.lr));
        row.extend(momentum);
        row.extend(weight_decay);
    }

    /// Records a rate. If an optimizer gets a second group, its earlier rates become those of its first group.
    fn remember(&mut self, name: &str, lr: f64) {
        let before = name.strip_suffix("/pg1").and_then(|alone| self.lrs.remove(alone));
        let lrs = self.lrs.entry(name.to_owned()).or_default();
        lrs.splice(0..0, before.into_iter().flatten());
        lrs.push(lr);
    }
}

impl<M: LightningModule> Callback<M> for LearningRateMonitor {
    fn name(&self) -> &'static str {
        "LearningRateMonitor"
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if stage == Stage::Fit {
            self.lrs.clear();
        }
        Ok(())
    }

    fn on_train_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        ctx.require_loggers("LearningRateMonitor")?;
        let mut groups = ctx.optimizers().iter().flat_map(Optimizer::groups);
        if self.log_momentum && groups.any(|group| group.momentum().is_none()) {
            messages::warning!("LearningRateMonitor logs 0 as the momentum of algorithms without one");
        }
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, _: &mut M, _: &M::Batch, _: usize) -> Result<()> {
        if ctx.should_update_logs() { self.log(ctx, Interval::Step) } else { Ok(()) }
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.log(ctx, Interval::Epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_a_single_group_become_those_of_the_first() {
        let mut monitor = LearningRateMonitor::new();
        monitor.remember("lr-SGD", 0.5);
        monitor.remember("lr-SGD/pg1", 0.25);
        monitor.remember("lr-SGD/pg2", 0.125);
        let expected = [("lr-SGD/pg1".to_owned(), vec![0.5, 0.25]), ("lr-SGD/pg2".to_owned(), vec![0.125])];
        assert_eq!(monitor.lrs, BTreeMap::from(expected));
    }
}
