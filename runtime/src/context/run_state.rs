//! What a run knows besides its module, its optimizers and its counters, and gets back when it is resumed.

use super::clock::SavedClock;
use super::log::{Log, NamedTensors, SavedLog};
use super::{RunContext, RunningLrScheduler};
use crate::checkpoint::Checkpoint;
use crate::data::{SavedLoader, Seed};
use crate::error::Error;
use crate::json_float::JsonFloat;
use crate::native::RandomState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state, apart from its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunState {
    /// What loaders without a seed of their own follow; 0 in checkpoints from before it was saved, as it was 0 then.
    pub(crate) seed: Seed,
    /// Within an epoch, the loader of its batches.
    pub(crate) train_loader: Option<SavedLoader>,
    should_stop: bool,
    stop_reason: Option<String>,
    has_validated: bool,
    /// Of checkpoints that were written before clocks were kept: none.
    validation_clock: Option<SavedClock>,
    lr_scheduler_clocks: Vec<SavedClock>,
    /// What a hook has set in place of the trainer's own.
    accumulate_grad_batches: Option<usize>,
    toggled_optimizer: Option<usize>,
    /// Whether a loss of the running accumulation window was NaN or infinite, so that no step is taken.
    skips_next_step: bool,
    /// What hooks have frozen and unfrozen, other than by toggling.
    pub(crate) refrozen: Refrozen,
    callback_metrics: BTreeMap<String, JsonFloat>,
    training_log: SavedLog,
    /// What each logger keeps.
    pub(crate) loggers: Vec<serde_json::Value>,
}

/// The names of the parameters whose gradients are on or off in another way than at the beginning of `fit`. The module decides the
/// others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refrozen {
    pub(crate) frozen: Vec<String>,
    pub(crate) unfrozen: Vec<String>,
}

impl RunState {
    /// Drops what was logged of an epoch that is not continued.
    pub(crate) fn forget_logged(&mut self) {
        self.training_log = SavedLog::default();
    }
}

const LOG: &str = "log.";
/// The names of the tensors with the state of random numbers begin so.
pub(crate) const RANDOM: &str = "random.";

impl RunContext {
    /// The state, and its tensors under their names in a checkpoint.
    pub(crate) fn state(&self) -> Result<(RunState, NamedTensors), Error> {
        let (training_log, log) = self.saved_log()?;
        let metrics = self.callback_metrics.iter();
        let state = RunState {
            seed: self.training_seed(),
            train_loader: self.train_loader.clone().filter(|_| self.progress.has_batches_left()),
            should_stop: self.should_stop && !self.has_been_stopped(),
            stop_reason: self.stop_reason.clone(),
            has_validated: self.has_validated,
            validation_clock: Some(self.validation_clock.saved(self.config.val_check_interval.is_time())),
            lr_scheduler_clocks: self.lr_schedulers.iter().map(RunningLrScheduler::saved_clock).collect(),
            accumulate_grad_batches: self.sets_accumulation.then_some(self.config.accumulate_grad_batches),
            toggled_optimizer: self.toggled_optimizer(),
            skips_next_step: self.skips_next_step()?,
            refrozen: Refrozen::default(),
            callback_metrics: metrics.map(|(name, value)| (name.clone(), JsonFloat(*value))).collect(),
            training_log,
            loggers: self.loggers.state_dicts(),
        };
        let random = RandomState::of(self.device)?.into_tensors();
        let log = log.into_iter().map(|(name, tensor)| (format!("{LOG}{name}"), tensor));
        let random = random.into_iter().map(|(name, tensor)| (format!("{RANDOM}{name}"), tensor));
        Ok((state, log.chain(random).collect()))
    }

    /// What was logged of the epoch that is running, or that the `fit` before was in.
    fn saved_log(&self) -> Result<(SavedLog, NamedTensors), Error> {
        match &self.cut_log {
            Some((log, tensors)) if self.progress.is_cut_short() => {
                let tensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
                Ok((log.clone(), tensors.collect()))
            }
            _ => Ok(self.log_of_fit.as_ref().unwrap_or(&self.training_log).save()?),
        }
    }

    /// Keeps what was logged of an epoch that is cut short: the run that resumes it comes to the epoch's end once more.
    pub(crate) fn keep_cut_log(&mut self) -> Result<(), Error> {
        self.cut_log = Some(self.training_log.save()?);
        Ok(())
    }

    /// Whether training has stopped at the end of an epoch because a hook asked for it. Whoever resumes such a run wants more
    /// epochs. Where `min_epochs` or `min_steps` still asks for more, the run has yet to stop.
    fn has_been_stopped(&self) -> bool {
        self.can_stop_early() && !self.progress.is_mid_epoch()
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
            state.callback_metrics.into_iter().map(|(name, JsonFloat(value))| (name, value)).collect();
        if state.should_stop && !self.should_stop {
            (self.should_stop, self.stop_reason) = (true, state.stop_reason);
        }
        self.has_validated = state.has_validated;
        if let Some(clock) = state.validation_clock {
            self.validation_clock = clock.into();
        }
        for (running, clock) in self.lr_schedulers.iter_mut().zip(state.lr_scheduler_clocks) {
            running.clock = clock.into();
        }
        if let Some(batches) = state.accumulate_grad_batches {
            self.set_accumulate_grad_batches(batches)?;
        }
        if let Some(optimizer) = state.toggled_optimizer.filter(|optimizer| *optimizer < self.optimizers.len()) {
            self.toggle_optimizer(optimizer);
        }
        self.progress.find_window(self.config.accumulate_grad_batches);
        self.skip_next_step(state.skips_next_step);
        Ok(RandomState::from_tensors(&random, self.device).restore()?)
    }
}
