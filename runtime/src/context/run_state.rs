//! What a run knows besides its module, its optimizers and its counters, and gets back when it is resumed.

use super::RunContext;
use super::log::{Log, NamedTensors, SavedLog};
use crate::any_number::AnyNumber;
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::native::RandomState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state, apart from its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunState {
    should_stop: bool,
    has_validated: bool,
    callback_metrics: BTreeMap<String, AnyNumber>,
    training_log: SavedLog,
}

const LOG: &str = "log.";
const RANDOM: &str = "random.";

impl RunContext {
    /// The state, and its tensors under their names in a checkpoint.
    pub(crate) fn state(&self) -> Result<(RunState, NamedTensors), Error> {
        let (training_log, log) = self.training_log.save()?;
        let metrics = self.callback_metrics.iter();
        let state = RunState {
            // a run that stopped at the end of an epoch has ended: who resumes it wants it to go on
            should_stop: self.should_stop && self.progress.is_mid_epoch(),
            has_validated: self.has_validated,
            callback_metrics: metrics.map(|(name, value)| (name.clone(), AnyNumber(*value))).collect(),
            training_log,
        };
        let random = RandomState::of(self.device)?.into_tensors();
        let log = log.into_iter().map(|(name, tensor)| (format!("{LOG}{name}"), tensor));
        let random = random.into_iter().map(|(name, tensor)| (format!("{RANDOM}{name}"), tensor));
        Ok((state, log.chain(random).collect()))
    }

    /// Takes the state over, the random numbers last of all.
    pub(crate) fn restore_state(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let under = |prefix| -> NamedTensors {
            checkpoint.under(prefix).map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect()
        };
        let (log, random) = (under(LOG), under(RANDOM));
        let state = checkpoint.metadata.run;
        self.training_log = Log::restored(&state.training_log, &log, self.device)?;
        self.callback_metrics =
            state.callback_metrics.into_iter().map(|(name, AnyNumber(value))| (name, value)).collect();
        self.should_stop |= state.should_stop;
        self.has_validated = state.has_validated;
        Ok(RandomState::from_tensors(&random, self.device).restore()?)
    }
}
