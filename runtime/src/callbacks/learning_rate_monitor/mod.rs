//! Logs the learning rates.

mod names;

use crate::context::phase::{Epoch, Outside};
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

/// Logs the learning rates of all optimizers, and their momenta and weight decays where that is asked for. Lightning's
/// [`LearningRateMonitor`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateMonitor.html).
///
/// The rate of an optimizer is called `lr-` and the algorithm's name in PyTorch, such as `lr-SGD`, or as its
/// scheduler's [`name`](crate::schedule::LrSchedulerConfig::name) says; further optimizers of one algorithm are
/// `lr-SGD-1`, `lr-SGD-2`, … Parameter groups, where there are several, are `lr-SGD/pg1`, `lr-SGD/pg2`, … Behind the
/// name stands `-momentum` for the momentum (or the first of `betas`), and `-weight_decay` for the weight decay.
///
/// Rows go to the loggers before the batch or the epoch whose rates they are. Callbacks see the values too: a rate can
/// be monitored.
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
/// `fit` fails where there is no logger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct LearningRateMonitor {
    /// Whether to log at the steps that `log_every_n_steps` chooses, or at the beginning of epochs. Default none: where
    /// a scheduler steps, and at both where an optimizer has none.
    pub logging_interval: Option<Interval>,
    /// Whether to log the momenta; that of an algorithm without one is 0. Default false.
    pub log_momentum: bool,
    /// Whether to log the weight decays. Default false.
    pub log_weight_decay: bool,
    /// What stands before each name, such as `optim/`. Default nothing.
    pub log_key_prefix: String,
    #[serde(skip)]
    lrs: BTreeMap<String, Vec<f64>>,
}

impl LearningRateMonitor {
    /// Logs the learning rates, where their schedulers step.
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

    /// Sets what stands before each name.
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
            // a chosen interval holds for all
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

    /// Keeps a rate. An optimizer that gets a second group goes on as its first one.
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
            messages::warning!("LearningRateMonitor logs a momentum of 0 of algorithms that have none");
        }
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context, _: &mut M, _: &M::Batch, _: usize) -> Result<()> {
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
    fn the_rates_of_a_group_that_was_alone_are_kept() {
        let mut monitor = LearningRateMonitor::new();
        monitor.remember("lr-SGD", 0.5);
        monitor.remember("lr-SGD/pg1", 0.25);
        monitor.remember("lr-SGD/pg2", 0.125);
        let expected = [("lr-SGD/pg1".to_owned(), vec![0.5, 0.25]), ("lr-SGD/pg2".to_owned(), vec![0.125])];
        assert_eq!(monitor.lrs, BTreeMap::from(expected));
    }
}
