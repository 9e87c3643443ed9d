//! The values logged in a loop, by name, for the step and for the epoch. They stay on the device until they are read.

mod accumulator;
mod arguments;
mod columns;
mod entry;
mod error;
mod join;
mod key;
mod logged_metrics;
mod metrics;
mod of_rank;
mod recorded;
mod saved;
mod scalar;
mod value;

pub use accumulator::Reduction;
pub(crate) use arguments::Arguments;
pub use error::LogError;
pub(crate) use key::{DATALOADER_SUFFIX, Name};
pub(crate) use logged_metrics::MetricState;
pub use metrics::{MetricName, Metrics};
pub(crate) use metrics::{instead_of, similar};
pub(crate) use recorded::Log;
pub(crate) use saved::SavedLog;
pub use value::{LogName, LogValue, Loggable};

/// Returns the step of a row with a logged `step`: its integer part, as in Lightning.
pub(crate) fn row_step(value: f64) -> Result<usize, LogError> {
    // beyond this, f64 cannot represent every integer
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    if (0.0..=LARGEST).contains(&value.trunc()) { Ok(value as usize) } else { Err(LogError::Step { value }) }
}
