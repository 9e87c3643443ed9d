//! The learning-rate schedulers of a run.

use super::RunContext;
use crate::config::Every;
use crate::optim::OptimizerIndex;
use crate::progress::{IntervalClock, SavedIntervalClock};
use crate::schedule::{LrScheduler, LrSchedulerConfig, LrSchedulerIndex, LrSchedulerState, ScheduleError};

/// A scheduler of a run, with its configuration and the optimizer whose rates it sets.
#[derive(Debug)]
pub struct RunningLrScheduler {
    config: LrSchedulerConfig,
    optimizer: OptimizerIndex,
    scheduler: LrScheduler,
    /// When it was due last, by the optimizer's steps.
    clock: IntervalClock,
}

impl RunningLrScheduler {
    /// Whether it watches a metric.
    pub(crate) fn needs_metric(&self) -> bool {
        self.scheduler.needs_metric()
    }

    /// What a checkpoint keeps of the schedule.
    pub(crate) fn state(&self) -> LrSchedulerState {
        self.scheduler.state()
    }

    /// When it steps.
    pub fn config(&self) -> &LrSchedulerConfig {
        &self.config
    }

    /// The optimizer whose rates it sets.
    pub fn optimizer(&self) -> OptimizerIndex {
        self.optimizer
    }

    pub(super) fn saved_clock(&self) -> SavedIntervalClock {
        self.clock.saved(matches!(self.config.every, Some(Every::Time(_))))
    }

    /// The rate of each parameter group, as the last step has set it.
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

    /// Steps a scheduler: with the metric that a [`ReduceLrOnPlateau`](crate::schedule::ReduceLrOnPlateau) watches, and `None`
    /// for all others. In automatic optimization `lr_scheduler_step` does this when it is due; in manual optimization
    /// `training_step` does.
    ///
    /// # Errors
    /// [`ScheduleError`], such as a metric that is missing or not wanted, or a schedule that is at its end.
    ///
    /// # Panics
    /// If there are not so many schedulers.
    pub fn step_lr_scheduler(
        &mut self,
        scheduler: impl Into<LrSchedulerIndex>,
        metric: Option<f64>,
    ) -> Result<(), ScheduleError> {
        let LrSchedulerIndex(place) = scheduler.into();
        let running = &mut self.optimization.lr_schedulers[place];
        let optimizer = &mut self.optimization.optimizers[running.optimizer.0];
        match metric {
            Some(metric) => running.scheduler.step_with_metric(optimizer, metric),
            None => running.scheduler.step(optimizer),
        }
    }

    /// Removes all schedulers: something else sets the rates from now on.
    pub(crate) fn remove_lr_schedulers(&mut self) {
        self.optimization.lr_schedulers.clear();
    }

    /// Whether an interval in optimizer steps or in time has passed since a scheduler was due last.
    pub(crate) fn lr_scheduler_clock(&mut self, LrSchedulerIndex(index): LrSchedulerIndex) -> &mut IntervalClock {
        &mut self.optimization.lr_schedulers[index].clock
    }

    /// Gives the schedulers the states that a checkpoint has of them.
    pub(crate) fn load_lr_scheduler_states(&mut self, states: &[LrSchedulerState]) -> Result<(), ScheduleError> {
        let optimizers = &self.optimization.optimizers;
        for (running, state) in self.optimization.lr_schedulers.iter_mut().zip(states) {
            running.scheduler.load_state(state)?;
            running.clock.see(optimizers[running.optimizer.0].steps());
        }
        Ok(())
    }

    pub(super) fn restore_lr_scheduler_clocks(&mut self, clocks: Vec<SavedIntervalClock>) {
        for (running, clock) in self.optimization.lr_schedulers.iter_mut().zip(clocks) {
            running.clock = clock.into();
        }
    }
}
