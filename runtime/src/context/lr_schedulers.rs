//! The learning-rate schedulers of a run.

use super::RunContext;
use crate::checkpoint::ChangedHyperparameter;
use crate::config::Every;
use crate::messages;
use crate::optim::OptimizerIndex;
use crate::progress::{IntervalClock, SavedIntervalClock};
use crate::schedule::{LrScheduler, LrSchedulerConfig, LrSchedulerIndex, LrSchedulerState, ScheduleError};

/// A scheduler of a run, with its configuration and the optimizer whose learning rates it sets.
#[derive(Debug)]
pub struct RunningLrScheduler {
    config: LrSchedulerConfig,
    optimizer: OptimizerIndex,
    scheduler: LrScheduler,
    /// The time and optimizer step at which it was last due.
    clock: IntervalClock,
}

impl RunningLrScheduler {
    /// Whether it monitors a metric.
    pub(crate) fn needs_metric(&self) -> bool {
        self.scheduler.needs_metric()
    }

    /// The state for a checkpoint.
    pub(crate) fn state(&self) -> LrSchedulerState {
        self.scheduler.state()
    }

    /// The configuration, with its interval.
    pub fn config(&self) -> &LrSchedulerConfig {
        &self.config
    }

    /// The optimizer whose learning rates it sets.
    pub fn optimizer(&self) -> OptimizerIndex {
        self.optimizer
    }

    pub(super) fn saved_clock(&self) -> SavedIntervalClock {
        self.clock.saved(matches!(self.config.every, Some(Every::Time(_))))
    }

    /// The learning rate of each parameter group after the last step.
    pub fn last_lr(&self) -> &[f64] {
        self.scheduler.last_lr()
    }
}

impl RunContext {
    /// The learning-rate schedulers, in the order in which `configure_optimizers` returned them.
    pub fn lr_schedulers(&self) -> &[RunningLrScheduler] {
        &self.optimization.lr_schedulers
    }

    /// Binds a schedule to an optimizer, which gets the schedule's first rates.
    pub(crate) fn add_lr_scheduler(
        &mut self,
        optimizer: OptimizerIndex,
        config: LrSchedulerConfig,
    ) -> Result<(), ScheduleError> {
        let scheduler = LrScheduler::new(config.scheduler.clone(), &mut self.optimization.optimizers[optimizer.0])?;
        self.optimization.lr_schedulers.push(RunningLrScheduler {
            config,
            optimizer,
            scheduler,
            clock: IntervalClock::default(),
        });
        Ok(())
    }

    /// Steps a scheduler: with the metric that a [`ReduceLrOnPlateau`](crate::schedule::ReduceLrOnPlateau) monitors, and `None`
    /// for all others. In automatic optimization `lr_scheduler_step` does this when it is due; in manual optimization
    /// `training_step` does.
    ///
    /// # Errors
    /// [`ScheduleError`], such as a missing or an unexpected metric, or a schedule that has ended.
    ///
    /// # Panics
    /// If the index is out of range.
    pub fn step_lr_scheduler(
        &mut self,
        scheduler: impl Into<LrSchedulerIndex>,
        metric: Option<f64>,
    ) -> Result<(), ScheduleError> {
        let LrSchedulerIndex(index) = scheduler.into();
        let running = &mut self.optimization.lr_schedulers[index];
        let optimizer = &mut self.optimization.optimizers[running.optimizer.0];
        match metric {
            Some(metric) => running.scheduler.step_with_metric(optimizer, metric),
            None => running.scheduler.step(optimizer),
        }
    }

    /// Removes all schedulers, as `lr_find` sets the learning rates itself.
    pub(crate) fn remove_lr_schedulers(&mut self) {
        self.optimization.lr_schedulers.clear();
    }

    /// The clock of a scheduler whose interval is in optimizer steps or in time.
    pub(crate) fn lr_scheduler_clock(&mut self, LrSchedulerIndex(index): LrSchedulerIndex) -> &mut IntervalClock {
        &mut self.optimization.lr_schedulers[index].clock
    }

    /// Returns the schedules with their hyperparameters; null for one that contains a function.
    pub(super) fn lr_schedules(&self) -> Vec<serde_json::Value> {
        let schedules = self.lr_schedulers().iter().map(|running| running.scheduler.schedule());
        schedules.map(|schedule| serde_json::to_value(schedule).unwrap_or_default()).collect()
    }

    /// Restores the states of the schedulers. Warns of schedules with other hyperparameters than those of the checkpoint, such as the number
    /// of steps of a longer run: the rates continue from those of the checkpoint, which may have reached 0.
    pub(crate) fn load_lr_scheduler_states(
        &mut self,
        states: &[LrSchedulerState],
        schedules: &[serde_json::Value],
    ) -> Result<(), ScheduleError> {
        let optimizers = &self.optimization.optimizers;
        for (running, state) in self.optimization.lr_schedulers.iter_mut().zip(states) {
            running.scheduler.load_state(state)?;
            running.clock.see(optimizers[running.optimizer.0].steps());
        }
        self.warn_of_changed_schedules(schedules);
        Ok(())
    }

    fn warn_of_changed_schedules(&self, saved: &[serde_json::Value]) {
        for ((running, current), saved) in self.lr_schedulers().iter().zip(self.lr_schedules()).zip(saved) {
            let name = running.scheduler.schedule().name();
            let rates: Vec<String> = running.last_lr().iter().map(f64::to_string).collect();
            for changed in ChangedHyperparameter::all_of(saved, &current) {
                messages::warning!(
                    "{changed}: {name} continues with the new value from the learning rate of the checkpoint, {}",
                    rates.join(", ")
                );
            }
        }
    }

    pub(super) fn restore_lr_scheduler_clocks(&mut self, clocks: Vec<SavedIntervalClock>) {
        for (running, clock) in self.optimization.lr_schedulers.iter_mut().zip(clocks) {
            running.clock = clock.into();
        }
    }
}
