//! `table.json`, which `table.py` made with PyTorch Lightning.

use crate::recorder::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tch_lightning::LearningRateMonitor;

#[derive(Deserialize)]
pub struct Table {
    pub learning_rate_monitor: Vec<Monitored>,
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

pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form"));
