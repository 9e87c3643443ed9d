//! The monitoring of logged metrics, shared by callbacks.

use super::{EarlyStopping, ModelCheckpoint};
use crate::context::RunContext;
use crate::log::{instead_of, similar};
use crate::messages;
use crate::module::{Callback, Callbacks, LightningModule};
use serde::{Deserialize, Serialize};
use std::any::Any;
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

/// A monitor mode, which is a text in Lightning's Python.
#[diagnostic::on_unimplemented(
    message = "`mode` is a `MonitorMode`, not `{Self}` [TL0006]",
    label = "write `MonitorMode::Max` or `MonitorMode::Min`, of `tch_lightning::callbacks`"
)]
pub trait IntoMonitorMode {
    /// Returns the mode.
    fn into_mode(self) -> MonitorMode;
}

#[diagnostic::do_not_recommend]
impl IntoMonitorMode for MonitorMode {
    fn into_mode(self) -> MonitorMode {
        self
    }
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
#[error("{by} monitors `{monitor}`, which was not logged: {}", instead_of(.monitor, .logged.iter().map(String::as_str)))]
pub struct NotLogged {
    /// The name of the callback or scheduler that monitors it.
    pub by: &'static str,
    /// The name of the metric.
    pub monitor: String,
    /// The names of the logged metrics.
    pub logged: Vec<String>,
}

/// Warns of each monitored metric that the sanity check did not log, if it logged one of a similar name. Otherwise, a misspelled
/// name would be an error only after the first epoch. It may be a metric of training, so that this is not an error.
pub(crate) fn warn_of_misspellings<M: LightningModule>(
    callbacks: &Callbacks<M>,
    ctx: &RunContext,
    logged: Vec<(String, f64)>,
) {
    let logged: Vec<String> = logged.into_iter().map(|(name, _)| name).collect();
    let of_callbacks = callbacks.list.iter().filter_map(|callback| of_callback(callback.as_ref()));
    let of_schedulers = ctx.lr_schedulers().iter().filter(|scheduler| scheduler.needs_metric());
    let of_schedulers =
        of_schedulers.filter_map(|scheduler| Some(("ReduceLrOnPlateau", scheduler.config().monitor.as_deref()?)));
    for (by, monitor) in
        of_callbacks.chain(of_schedulers).filter(|(_, monitor)| !logged.iter().any(|name| name == monitor))
    {
        if let Some(similar) = similar(monitor, logged.iter().map(String::as_str)) {
            messages::warning!(
                "{by} monitors `{monitor}`, and the sanity check logged `{similar}`: the run fails after its first epoch, unless \
                 `{monitor}` is logged by then"
            );
        }
    }
}

fn of_callback<M: LightningModule>(callback: &dyn Callback<M>) -> Option<(&'static str, &str)> {
    let any = callback as &dyn Any;
    let of_stopping = any.downcast_ref::<EarlyStopping>().map(|callback| ("EarlyStopping", callback.monitor.as_str()));
    of_stopping.or_else(|| Some(("ModelCheckpoint", any.downcast_ref::<ModelCheckpoint>()?.monitor.as_deref()?)))
}

/// Returns the value of a monitored metric.
pub(super) fn monitored(ctx: &RunContext, callback: &'static str, monitor: &str) -> Result<f64, NotLogged> {
    let metrics = ctx.callback_metrics();
    metrics.get(monitor).ok_or_else(|| NotLogged {
        by: callback,
        monitor: monitor.to_owned(),
        logged: metrics.keys().map(str::to_owned).collect(),
    })
}
