//! `table.json`, which `table.py` computed with PyTorch.

use serde::Deserialize;
use std::sync::LazyLock;
use tch_lightning::precision::GradScalerState;
use tch_lightning::precision::Precision;

#[derive(Deserialize)]
pub struct Table {
    pub inputs: Vec<[f32; 3]>,
    pub targets: Vec<[f32; 2]>,
    pub weight: Vec<[f32; 3]>,
    pub bias: Vec<f32>,
    pub epochs: i64,
    pub trainings: Vec<Training>,
    pub scaler: Vec<Scaled>,
}

/// A training of the linear model.
#[derive(Deserialize)]
pub struct Training {
    pub precision: Precision,
    pub infinite_at: Vec<usize>,
    pub clip: Option<f64>,
    /// The values after each step.
    pub points: Vec<Vec<f64>>,
    /// The scale after each step; 1 without scaling.
    pub scales: Vec<f64>,
}

/// A scaler with two optimizers.
#[derive(Deserialize)]
pub struct Scaled {
    pub begins: GradScalerState,
    /// At each update, whether the loss of each optimizer is infinite.
    pub infinite: Vec<[bool; 2]>,
    pub states: Vec<AfterUpdate>,
}

#[derive(Deserialize)]
pub struct AfterUpdate {
    pub scale: f64,
    pub growth_tracker: i64,
    pub points: [[f64; 2]; 2],
}

pub static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form"));
