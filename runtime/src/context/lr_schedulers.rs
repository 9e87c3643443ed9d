//! The learning-rate schedulers of a run.

use super::clock::SavedClock;
use super::{Clock, RunContext};
use crate::config::Every;
use crate::error::Error;
use crate::optim::OptimizerIndex;
use crate::schedule::{LrScheduler, LrSchedulerConfig, LrSchedulerIndex, ScheduleError};

/// A scheduler of a run, with its configuration and the optimizer whose rates it sets.
#[derive(Debug)]
pub struct RunningLrScheduler {
    config: LrSchedulerConfig,
    optimizer: OptimizerIndex,
    pub(crate) scheduler: LrScheduler,
    /// When it was due last, by the optimizer's steps.
    pub(crate) clock: Clock,
}

impl RunningLrScheduler {
    /// When it steps.
    pub fn config(&self) -> &LrSchedulerConfig {
        &self.config
    }

    /// The optimizer whose rates it sets.
    pub fn optimizer(&self) -> OptimizerIndex {
        self.optimizer
    }

    pub(super) fn saved_clock(&self) -> SavedClock {
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
        &self.lr_schedulers
    }

    /// Binds a schedule to an optimizer, which gets the schedule's first rates.
    pub(crate) fn add_lr_scheduler(&mut self, optimizer: usize, config: LrSchedulerConfig) -> Result<(), Error> {
        let scheduler = LrScheduler::new(config.scheduler.clone(), &mut self.optimizers[optimizer])?;
        let optimizer = OptimizerIndex(optimizer);
        self.lr_schedulers.push(RunningLrScheduler { config, optimizer, scheduler, clock: Clock::default() });
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
        let running = &mut self.lr_schedulers[place];
        let optimizer = &mut self.optimizers[running.optimizer.0];
        match metric {
            Some(metric) => running.scheduler.step_with_metric(optimizer, metric),
            None => running.scheduler.step(optimizer),
        }
    }
}
