//! `table.json`, which `table.py` made with PyTorch Lightning.

use crate::recorder::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tch_lightning::LearningRateMonitor;
use tch_lightning::schedule::Interval;

/// A model's tensors by name, each as a list of its elements.
pub type Values = BTreeMap<String, Vec<f64>>;

#[derive(Deserialize)]
pub struct Table {
    pub learning_rate_monitor: Vec<Monitored>,
    pub timer: Vec<Timed>,
    pub gradient_accumulation_scheduler: Vec<Accumulated>,
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

/// Where training ended with a `Timer`.
#[derive(Debug, Deserialize)]
pub struct Timed {
    pub microseconds: Option<u64>,
    pub interval: Interval,
    pub trainer: AtLeast,
    pub epoch: usize,
    pub step: usize,
}

#[derive(Debug, Deserialize)]
pub struct AtLeast {
    pub min_epochs: Option<usize>,
    pub min_steps: Option<usize>,
}

/// How often the optimizer had stepped after each epoch, and the model at the end.
#[derive(Debug, Deserialize)]
pub struct Accumulated {
    pub scheduling: Vec<(usize, usize)>,
    pub steps: Vec<usize>,
    pub model: Values,
}

pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form"));
