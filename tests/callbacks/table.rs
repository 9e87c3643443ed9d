//! `table.json`, which `table.py` made with PyTorch Lightning.

use crate::recorder::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use tch_lightning::schedule::Interval;
use tch_lightning::{
    TrainerConfig,
    callbacks::{ExponentialMovingAverage, LearningRateMonitor, StochasticWeightAveraging, WriteInterval},
    trainer::{BatchLimit, BatchSizeFinder, LearningRateCurve, LearningRateFinder},
};

/// A model's tensors by name, each as a list of its elements.
pub type Values = BTreeMap<String, Vec<f64>>;

#[derive(Deserialize)]
pub struct Table {
    pub learning_rate_monitor: Vec<Monitored>,
    pub scheduled_learning_rate_monitor: Vec<Scheduled>,
    pub timer: Vec<Timed>,
    pub gradient_accumulation_scheduler: Vec<Accumulated>,
    pub stochastic_weight_averaging: Vec<Averaged>,
    pub exponential_moving_average: Vec<MovingAveraged>,
    pub lambda_callback: Called,
    pub throughput: Vec<Measured>,
    pub throughput_monitor: Vec<Counted>,
    pub write_predictions: Vec<Written>,
    pub learning_rate_finder: Vec<Swept>,
    pub batch_size_finder: Vec<Tried>,
    pub backbone_finetuning: Vec<Finetuned>,
    pub on_exception_checkpoint: Saved,
    /// The names that a `DeviceStatsMonitor` logged at each step.
    pub device_stats_monitor: Vec<(usize, Vec<String>)>,
}

/// What a [`LearningRateMonitor`] logged while the rate was halved after each epoch.
#[derive(Deserialize)]
pub struct Monitored {
    pub monitor: LearningRateMonitor,
    pub optimizer: String,
    pub accumulate: usize,
    pub rows: Vec<Row>,
    pub lrs: BTreeMap<String, Vec<f64>>,
}

/// What a [`LearningRateMonitor`] logged of two parameter groups with a scheduler.
#[derive(Deserialize)]
pub struct Scheduled {
    pub scheduler: SchedulerConfig,
    pub rows: Vec<Row>,
    pub lrs: BTreeMap<String, Vec<f64>>,
}

#[derive(Deserialize)]
pub struct SchedulerConfig {
    pub interval: Interval,
    pub name: Option<String>,
}

/// Where training ended with a `Timer`.
#[derive(Debug, Deserialize)]
pub struct Timed {
    pub microseconds: Option<u64>,
    pub interval: Interval,
    pub trainer: Options,
    pub epoch: usize,
    pub step: usize,
}

/// How often the optimizer had stepped after each epoch, and the model at the end.
#[derive(Debug, Deserialize)]
pub struct Accumulated {
    pub scheduling: Vec<(usize, usize)>,
    pub steps: Vec<usize>,
    pub model: Values,
}

/// What `StochasticWeightAveraging` did: the learning rate of each epoch, and the model at the end.
#[derive(Deserialize)]
pub struct Averaged {
    pub swa: StochasticWeightAveraging,
    pub trainer: Options,
    pub normed: bool,
    pub rates: Vec<f64>,
    pub rows: Vec<Row>,
    pub epoch: usize,
    pub n_averaged: u64,
    pub model: Values,
}

/// What `EMAWeightAveraging` did.
#[derive(Deserialize)]
pub struct MovingAveraged {
    pub average: ExponentialMovingAverage,
    pub trainer: Options,
    pub normed: bool,
    pub rows: Vec<Row>,
    pub n_averaged: u64,
    pub model: Values,
}

/// The hooks that a `LambdaCallback` has, and those that were called.
#[derive(Deserialize)]
pub struct Called {
    pub hooks: Vec<String>,
    pub called: Vec<String>,
}

/// What `Throughput` computed after each update: a time, and the totals of batches, samples, lengths and flops.
#[derive(Deserialize)]
pub struct Measured {
    pub window_size: usize,
    pub updates: Vec<Vec<f64>>,
    pub computed: Vec<BTreeMap<String, f64>>,
}

/// The rows of a `ThroughputMonitor`, without the values that depend on the machine's speed.
#[derive(Deserialize)]
pub struct Counted {
    pub trainer: Options,
    pub rows: Vec<(usize, BTreeMap<String, Option<f64>>)>,
}

/// The calls of a prediction writer.
#[derive(Deserialize)]
pub struct Written {
    pub write_interval: WriteInterval,
    pub calls: Vec<Call>,
}

/// The places of the batch and its loader, if the call is for one, and the predictions of each batch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Call(pub Option<(usize, usize)>, pub Vec<Vec<f64>>);

/// What was saved of a run that failed, and whether that was still there after one that did not.
#[derive(Deserialize)]
pub struct Saved {
    pub epoch: usize,
    pub step: usize,
    pub model: Values,
    pub is_kept: bool,
}

/// The learning rates of all groups after each epoch with a `BackboneFinetuning`, and the model at the end.
#[derive(Deserialize)]
pub struct Finetuned {
    pub chosen: String,
    pub finetuning: Finetuning,
    pub rates: Vec<Vec<f64>>,
    pub model: Values,
}

/// Arguments of a `BackboneFinetuning`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finetuning {
    pub backbone_initial_ratio_lr: Option<f64>,
    pub backbone_initial_lr: Option<f64>,
    pub should_align: Option<bool>,
    pub train_bn: Option<bool>,
}

/// A range test of learning rates.
#[derive(Deserialize)]
pub struct Swept {
    pub finder: LearningRateFinder,
    pub curve: LearningRateCurve,
    pub suggestion: f64,
}

/// A search for a batch size with so many rows, where so many fit.
#[derive(Debug, Deserialize)]
pub struct Tried {
    pub rows: i64,
    pub limit: i64,
    pub finder: BatchSizeFinder,
    pub tried: Vec<usize>,
    pub found: usize,
}

/// Arguments of the trainer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    min_epochs: Option<usize>,
    min_steps: Option<usize>,
    max_epochs: Option<i64>,
    max_steps: Option<i64>,
    accumulate_grad_batches: Option<usize>,
    limit_val_batches: Option<usize>,
    log_every_n_steps: Option<usize>,
}

impl Options {
    /// The configuration with these arguments.
    pub fn with(&self, config: TrainerConfig) -> TrainerConfig {
        TrainerConfig {
            min_epochs: self.min_epochs,
            min_steps: self.min_steps,
            max_epochs: self.max_epochs.or(config.max_epochs),
            max_steps: self.max_steps,
            accumulate_grad_batches: self.accumulate_grad_batches.unwrap_or(1),
            log_every_n_steps: self.log_every_n_steps.unwrap_or(config.log_every_n_steps),
            limit_val_batches: self.limit_val_batches.map_or(config.limit_val_batches, BatchLimit::Batches),
            ..config
        }
    }
}

pub fn table() -> Table {
    serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form")
}
