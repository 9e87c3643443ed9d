//! Saving and restoring the state of a run in a checkpoint.

use super::error::ContextError;
use super::{RunContext, RunningLrScheduler};
use crate::checkpoint::Checkpoint;
use crate::json_float::JsonFloat;
use crate::log::Log;
use crate::named_tensors::NamedTensors;
use crate::native::RandomState;
use crate::progress::{LOG, RANDOM, Refrozen, RunState};

impl RunContext {
    /// Returns the state, and its tensors under their names in a checkpoint.
    pub(crate) fn state(&self) -> Result<(RunState, NamedTensors), ContextError> {
        let (training_log, log) = self.saved_log()?;
        let metrics = self.kept_callback_metrics().iter();
        let counts_time = self.config.val_check_interval.is_time();
        let state = RunState {
            seed: self.training_seed(),
            train_loader: self.train_loader().cloned().filter(|_| self.progress().has_batches_left()),
            epoch_parts: if self.progress().has_batches_left() { self.epoch_parts().to_vec() } else { Vec::new() },
            should_stop: self.should_stop() && !self.has_been_stopped(),
            stop_reason: self.stop_reason().map(str::to_owned),
            has_validated: self.has_validated(),
            validation_clock: Some(self.validation_clock().saved(counts_time)),
            lr_scheduler_clocks: self.lr_schedulers().iter().map(RunningLrScheduler::saved_clock).collect(),
            lr_schedules: self.lr_schedules(),
            accumulate_grad_batches: self.accumulate_grad_batches_of_hook(),
            toggled_optimizer: self.toggled_optimizer(),
            skips_next_step: self.skips_next_step()?,
            terms: self.terms_of_window(),
            refrozen: Refrozen::default(),
            callback_metrics: metrics.map(|(name, value)| (name.clone(), JsonFloat(*value))).collect(),
            training_log,
            loggers: self.logger_states()?,
        };
        let random = RandomState::of(self.device)?.into_tensors();
        let log = log.into_iter().map(|(name, tensor)| (format!("{LOG}{name}"), tensor));
        let random = random.into_iter().map(|(name, tensor)| (format!("{RANDOM}{name}"), tensor));
        Ok((state, log.chain(random).collect()))
    }

    /// Whether training has stopped at the end of an epoch because a hook requested it. A user who resumes such a run wants more
    /// epochs. If `min_epochs` or `min_steps` requires more, the run has not stopped yet.
    fn has_been_stopped(&self) -> bool {
        self.can_stop_early() && !self.is_mid_epoch()
    }

    /// Restores the state, the random numbers last.
    pub(crate) fn restore_state(&mut self, checkpoint: Checkpoint) -> Result<(), ContextError> {
        let under = |prefix| -> NamedTensors {
            checkpoint.under(prefix).map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect()
        };
        let (log, random) = (under(LOG), under(RANDOM));
        let state = checkpoint.metadata.run;
        let log = Log::restored(&state.training_log, &log, self.device)?;
        let metrics = state.callback_metrics.into_iter().map(|(name, JsonFloat(value))| (name, value)).collect();
        self.restore_log(log, metrics);
        self.restore_stop(state.should_stop, state.stop_reason);
        self.restore_validation(state.has_validated, state.validation_clock.map(Into::into));
        self.restore_lr_scheduler_clocks(state.lr_scheduler_clocks);
        if let Some(batches) = state.accumulate_grad_batches {
            self.set_accumulate_grad_batches(batches)?;
        }
        if let Some(optimizer) = state.toggled_optimizer.filter(|optimizer| *optimizer < self.optimizers().len()) {
            self.toggle_optimizer(optimizer);
        }
        let accumulated = self.config.accumulate_grad_batches;
        self.progress_mut().find_window(accumulated);
        self.skip_next_step(state.skips_next_step);
        self.restore_terms(state.terms);
        Ok(RandomState::from_tensors(&random, self.device).restore()?)
    }
}
