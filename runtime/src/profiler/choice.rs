use super::TraceSchedule;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The profiler of a run: `--profiler simple`, `--profiler trace`. Lightning's
/// [`profiler`](https://lightning.ai/docs/pytorch/stable/tuning/profiler.html).
///
/// Text chooses one as well, in configuration files and as a flag: `simple`, `trace`, or `trace:` with the numbers of the
/// [`TraceSchedule`] that differ from the default.
///
/// ```
/// use tch_lightning::TrainerConfig;
/// use tch_lightning::profiler::{Profiler, TraceSchedule};
///
/// let schedule = TraceSchedule { skip_first: 100, active: 5, ..TraceSchedule::default() };
/// assert_eq!("trace:skip_first=100,active=5".parse(), Ok(Profiler::Trace(schedule)));
/// assert_eq!(TrainerConfig::default().profiler(Profiler::Simple).profiler, Some(Profiler::Simple));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profiler {
    /// A table of the run's actions and their times, printed to stderr at the end, and a sentence if a large part of the run can be
    /// avoided. Lightning's
    /// [`SimpleProfiler`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.profilers.SimpleProfiler.html).
    ///
    /// The columns are the mean time of a call, the number of calls, the total time, and the total as a share of the run, as in
    /// Lightning. Actions are within one another: `run_training_batch` contains `training_step`. `Own` is the time of an action
    /// without the actions within it; these times add up. Actions of less than a thousandth of the run are added up in the last row.
    /// [`ctx.action_times()`](crate::RunContext::action_times) returns all of them.
    ///
    /// On a CUDA device, the column `Device` has the time from the beginning of an action to its end in the device's own order of work, for
    /// steps, `backward`, `optimizer_step`, transfers and regions of [`ctx.profile`](crate::Context::profile). It contains the time in
    /// which the device waits for the host: a device time as long as that of the host is a sign of that. The events are read after the
    /// device has come to them, so that no step waits.
    ///
    /// The sentence names the largest of these parts, if it is at least a tenth: waiting for training batches, relative to
    /// training steps and on the CPU only; writing checkpoints; and writing logs, relative to the run.
    Simple,
    /// A trace of a few training steps, or of a few batches of another verb, in the [Trace Event
    /// Format](https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), which [Perfetto](https://ui.perfetto.dev)
    /// and `chrome://tracing` show: hooks and other actions as ranges, and the operators of libtorch that they call below them. It is
    /// `trace.json` in the folder of the run, [`ctx.log_dir()`](crate::RunContext::log_dir); the trace of the second repetition is
    /// `trace_1.json`. Lightning's
    /// [`PyTorchProfiler`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.profilers.PyTorchProfiler.html).
    ///
    /// Operators are recorded on the host only: kernels of a GPU are not in the trace.
    Trace(TraceSchedule),
}

/// The prefix of a trace's schedule.
const TRACE: &str = "trace:";

impl FromStr for Profiler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "simple" => Ok(Self::Simple),
            "trace" => Ok(Self::Trace(TraceSchedule::default())),
            _ => match text.strip_prefix(TRACE) {
                Some(schedule) => schedule.parse().map(Self::Trace),
                None => Err(format!(
                    "`{text}` is not a profiler: write simple, trace, or trace with a schedule such as trace:wait=10,active=5"
                )),
            },
        }
    }
}

impl fmt::Display for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple => f.write_str("simple"),
            Self::Trace(schedule) if *schedule == TraceSchedule::default() => f.write_str("trace"),
            Self::Trace(schedule) => write!(f, "{TRACE}{schedule}"),
        }
    }
}

impl Serialize for Profiler {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Profiler {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiler_is_written_as_text() {
        for text in ["simple", "trace", "trace:wait=0", "trace:skip_first=10,wait=2,warmup=3,active=4,repeat=5"] {
            let profiler: Profiler = text.parse().unwrap();
            assert_eq!(profiler.to_string(), text);
            let json = serde_json::to_string(&profiler).unwrap();
            assert_eq!(serde_json::from_str::<Profiler>(&json).unwrap(), profiler);
        }
    }

    #[test]
    fn invalid_profilers_are_refused() {
        let error = |text: &str| text.parse::<Profiler>().unwrap_err();
        assert_eq!(
            error("pytorch"),
            "`pytorch` is not a profiler: write simple, trace, or trace with a schedule such as trace:wait=10,active=5"
        );
        assert_eq!(error("trace:active=0"), "`active` is 0: a trace needs at least one step");
        assert_eq!(
            error("trace:waits=1"),
            "`waits=1` is not part of a schedule: write skip_first, wait, warmup, active or repeat with a number, such as active=5"
        );
    }
}
