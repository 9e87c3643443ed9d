//! The monitoring of logged metrics, shared by callbacks.

use crate::context::RunContext;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether smaller or larger values of a monitored metric are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MonitorMode {
    /// Smaller values, as for a loss.
    #[default]
    Min,
    /// Larger values, as for an accuracy.
    Max,
}

impl MonitorMode {
    /// Whether `value` is better than `other`.
    pub fn is_better(self, value: f64, other: f64) -> bool {
        match self {
            Self::Min => value < other,
            Self::Max => value > other,
        }
    }

    /// Returns the worst value, which every other is better than.
    pub fn worst(self) -> f64 {
        match self {
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }
}

impl fmt::Display for MonitorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Min => "min",
            Self::Max => "max",
        })
    }
}

/// A monitored metric was not logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{by} monitors `{monitor}`, which was not logged: {}", known(.logged))]
pub struct NotLogged {
    /// The name of the callback or scheduler that monitors it.
    pub by: &'static str,
    /// The name of the metric.
    pub monitor: String,
    /// The names of the logged metrics.
    pub logged: Vec<String>,
}

fn known(logged: &[String]) -> String {
    match logged {
        [] => "nothing was".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("it can be one of {}", names.join(", "))
        }
    }
}

/// Returns the value of a monitored metric.
pub(super) fn monitored(ctx: &RunContext, callback: &'static str, monitor: &str) -> Result<f64, NotLogged> {
    let metrics = ctx.callback_metrics();
    metrics.get(monitor).copied().ok_or_else(|| NotLogged {
        by: callback,
        monitor: monitor.to_owned(),
        logged: metrics.into_keys().collect(),
    })
}
