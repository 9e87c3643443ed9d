use crate::span::Span;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How often something happens in a run: the one clock for validation, checkpoints, schedulers and everything else that
/// recurs.
///
/// Written as text it is `3 batches`, `100 steps`, `2 epochs`, or a time such as `10m`.
///
/// ```
/// use tch_lightning::Every;
///
/// assert_eq!("100 steps".parse(), Ok(Every::OptimizerSteps(100)));
/// assert_eq!(Every::Epochs(2).to_string(), "2 epochs");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Every {
    /// After n training batches.
    Batches(usize),
    /// After n steps of the optimizers, [`global_step`](crate::RunContext::global_step).
    OptimizerSteps(usize),
    /// After n training epochs.
    Epochs(usize),
    /// When this much time has passed since the last time.
    Time(Duration),
}

impl Every {
    /// Returns the mistake, if it is invalid.
    pub(crate) fn mistake(self) -> Option<&'static str> {
        let is_zero = matches!(self, Self::Batches(0) | Self::OptimizerSteps(0) | Self::Epochs(0));
        is_zero.then_some("it must be at least 1")
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batches(count) => write!(f, "{count} batches"),
            Self::OptimizerSteps(count) => write!(f, "{count} steps"),
            Self::Epochs(count) => write!(f, "{count} epochs"),
            Self::Time(duration) => Span(*duration).fmt(f),
        }
    }
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let counted = text.trim().split_once(' ').and_then(|(count, unit)| {
            let count = count.parse().ok()?;
            match unit.trim().trim_end_matches("es").trim_end_matches('s') {
                "batch" => Some(Self::Batches(count)),
                "step" => Some(Self::OptimizerSteps(count)),
                "epoch" => Some(Self::Epochs(count)),
                _ => None,
            }
        });
        let timed = || text.parse().map(|Span(duration)| Self::Time(duration));
        counted.map_or_else(timed, Ok).map_err(|_: String| {
            format!("`{text}` is not an interval: write `3 batches`, `100 steps`, `2 epochs`, or a time such as `10m`")
        })
    }
}

impl TryFrom<String> for Every {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Every> for String {
    fn from(every: Every) -> Self {
        every.to_string()
    }
}

/// A stopwatch for what recurs by the wall clock.
#[derive(Clone, Debug)]
pub(crate) struct Stopwatch {
    since: Instant,
    /// The time before that, in the run that is resumed.
    before: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self::started(Duration::ZERO)
    }

    /// A stopwatch that was started this long ago.
    pub(crate) fn started(before: Duration) -> Self {
        Self { since: Instant::now(), before }
    }

    pub(crate) fn restart(&mut self) {
        *self = Self::start();
    }

    /// The time since it was started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before.saturating_add(self.since.elapsed())
    }

    /// Whether this much time has passed.
    pub(crate) fn has_passed(&self, interval: Duration) -> bool {
        self.elapsed() >= interval
    }
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self::start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_survives_a_round_trip() {
        let all =
            [Every::Batches(3), Every::OptimizerSteps(1), Every::Epochs(2), Every::Time(Duration::from_secs(5400))];
        for every in all {
            assert_eq!(every.to_string().parse(), Ok(every), "{every}");
        }
        assert_eq!("1 batch".parse(), Ok(Every::Batches(1)));
        assert_eq!("1 epoch".parse(), Ok(Every::Epochs(1)));
    }

    #[test]
    fn invalid_intervals_are_refused() {
        assert_eq!(
            "3 fortnights".parse::<Every>().unwrap_err(),
            "`3 fortnights` is not an interval: write `3 batches`, `100 steps`, `2 epochs`, or a time such as `10m`"
        );
    }
}
