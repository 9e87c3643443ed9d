//! What the screen shows, whatever its source.

use super::keys::View;
use super::metrics::Metrics;
use crate::observer::Position;
use crate::stage::RunningStage;
use std::collections::VecDeque;
use std::time::Duration;

/// The number of messages that can be shown.
const MOST_MESSAGES: usize = 100;

/// Whose run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The run of this process, which keys steer.
    Live,
    /// The run of another process.
    Watch,
}

/// The memory of a GPU that libtorch uses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) allocated: u64,
    pub(crate) reserved: u64,
}

/// What the screen shows.
#[derive(Clone, Debug)]
pub(crate) struct DashboardState {
    pub(crate) mode: Mode,
    /// The name of the module.
    pub(crate) module: String,
    /// The folder of the run.
    pub(crate) folder: Option<String>,
    /// The state of a run of another process in a word; `None` shows the loop that runs.
    pub(crate) state: Option<String>,
    /// Whether the run may continue.
    pub(crate) is_running: bool,
    pub(crate) position: Position,
    /// The epochs and the optimizer steps after which the run ends.
    pub(crate) max_epochs: Option<usize>,
    pub(crate) max_steps: Option<usize>,
    pub(crate) elapsed: Option<Duration>,
    /// The part of the run that was done before that time, as before the checkpoint of a resumed run.
    pub(crate) done_before: f64,
    /// The progress per second, with its unit.
    pub(crate) rate: Option<(f64, &'static str)>,
    pub(crate) metrics: Metrics,
    /// The shares of the run's time by what it was spent on.
    pub(crate) shares: Vec<(&'static str, f64)>,
    pub(crate) memory: Option<Memory>,
    messages: VecDeque<String>,
    /// The answer to the last key.
    pub(crate) notice: Option<String>,
    pub(crate) view: View,
}

impl DashboardState {
    pub(crate) fn new(mode: Mode, module: &str) -> Self {
        Self {
            mode,
            module: module.to_owned(),
            folder: None,
            state: None,
            is_running: true,
            position: Position::default(),
            max_epochs: None,
            max_steps: None,
            elapsed: None,
            done_before: 0.0,
            rate: None,
            metrics: Metrics::default(),
            shares: Vec::new(),
            memory: None,
            messages: VecDeque::new(),
            notice: None,
            view: View::default(),
        }
    }

    /// Adds a line to the messages.
    pub(crate) fn say(&mut self, line: String) {
        self.messages.push_back(line);
        if self.messages.len() > MOST_MESSAGES {
            self.messages.pop_front();
        }
    }

    /// Replaces the messages.
    pub(crate) fn say_only(&mut self, lines: Vec<String>) {
        self.messages = lines.into();
    }

    /// The messages, oldest first.
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.messages.iter().map(String::as_str)
    }

    /// Removes what only an open screen shows, for the lines that it leaves behind: the keys with their answers, and the messages, which
    /// follow those lines as a whole.
    pub(crate) fn leave(&mut self) {
        self.notice = None;
        self.messages.clear();
        self.view = View { has_left: true, help: false, ..self.view };
    }

    /// The state of the run in a word.
    pub(super) fn status(&self) -> &str {
        let running = match self.position.running_stage {
            RunningStage::SanityChecking => "sanity check",
            RunningStage::Training => "training",
            RunningStage::Validating => "validating",
            RunningStage::Testing => "testing",
            RunningStage::Predicting => "predicting",
        };
        self.state.as_deref().unwrap_or(running)
    }

    /// The part of the run that is done, from 0 to 1, if its end is known.
    pub(super) fn done(&self) -> Option<f64> {
        let Position { epoch, batch, batches, step, .. } = self.position;
        let of = |part: f64, whole: usize| (whole > 0).then(|| (part / whole as f64).min(1.0));
        let in_epoch = batches.and_then(|batches| of(batch as f64, batches)).unwrap_or_default();
        let by_epochs = self.max_epochs.and_then(|epochs| of(epoch as f64 + in_epoch, epochs));
        let by_steps = self.max_steps.and_then(|steps| of(step as f64, steps));
        by_epochs.into_iter().chain(by_steps).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_is_what_ends_the_run_first() {
        let mut state = DashboardState::new(Mode::Live, "Model");
        state.position = Position { epoch: 1, batch: 5, batches: Some(10), step: 15, ..Position::default() };
        assert_eq!(state.done(), None);
        state.max_epochs = Some(3);
        assert_eq!(state.done(), Some(0.5));
        state.max_steps = Some(20);
        assert_eq!(state.done(), Some(0.75));
        state.max_steps = Some(10);
        assert_eq!(state.done(), Some(1.0));
    }
}
