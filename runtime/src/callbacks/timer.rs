//! Measures the duration of runs, and ends training at a time limit.

use crate::config::Span;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::json;
use crate::messages;
use crate::module::{Callback, LightningModule};
use crate::schedule::Interval;
use crate::stage::{RunningStage, Stage};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Measures the duration of training, validation and testing, and ends training at a time limit. Lightning's
/// [`Timer`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.Timer.html).
///
/// A trainer with a [`max_time`](field@crate::TrainerConfig::max_time) adds one. Checkpoints contain the training time: a
/// resumed run gets the remaining time.
///
/// ```
/// use std::time::Duration;
/// use tch_lightning::{callbacks::Timer, RunningStage};
///
/// let timer = Timer::new().duration(Duration::from_secs(12 * 3600));
/// assert_eq!(timer.time_elapsed(RunningStage::Training), Duration::ZERO);
/// assert_eq!(timer.time_remaining(), Some(Duration::from_secs(12 * 3600)));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Timer {
    /// The time limit of training. Default none: the timer only measures.
    pub duration: Option<Span>,
    /// Whether to check the time limit after each batch or after each epoch; it is also checked when `fit` begins.
    /// Default after each batch.
    pub interval: Interval,
    /// Whether to print that the time limit is reached. Default true.
    pub verbose: bool,
    /// The training time before the run was resumed.
    #[serde(skip)]
    before: Duration,
    #[serde(skip)]
    training: Clock,
    #[serde(skip)]
    validation: Clock,
    #[serde(skip)]
    test: Clock,
}

impl Default for Timer {
    fn default() -> Self {
        Self {
            duration: None,
            interval: Interval::Step,
            verbose: true,
            before: Duration::ZERO,
            training: Clock::default(),
            validation: Clock::default(),
            test: Clock::default(),
        }
    }
}

/// The start and the end of a stage.
#[derive(Clone, Debug, Default, PartialEq)]
struct Clock {
    start: Option<Instant>,
    end: Option<Instant>,
}

impl Clock {
    fn start(&mut self) {
        *self = Self { start: Some(Instant::now()), end: None };
    }

    fn stop(&mut self) {
        self.end = Some(Instant::now());
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.start.map_or(Duration::ZERO, |start| self.end.unwrap_or(now).saturating_duration_since(start))
    }
}

/// The state that checkpoints contain.
#[derive(Serialize, Deserialize)]
struct State {
    /// The training time in seconds.
    time_elapsed: f64,
}

// These are not generic, unlike the implementation of `Callback<M>`: they are compiled once, in this crate, instead of in each program.
impl State {
    fn to_json(&self) -> serde_json::Result<Value> {
        json::to_value(self)
    }

    fn from_json(saved: &Value) -> serde_json::Result<Self> {
        json::from_value(saved)
    }
}

impl Timer {
    /// Creates a timer without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time limit of training: a [`Duration`], or a [`Span`] parsed from text,
    /// `"00:12:00:00".parse::<Span>()?`.
    pub fn duration(self, duration: impl Into<Span>) -> Self {
        Self { duration: Some(duration.into()), ..self }
    }

    /// Sets whether to check the time limit after each batch or after each epoch.
    pub fn interval(self, interval: Interval) -> Self {
        Self { interval, ..self }
    }

    /// Sets whether to print that the time limit is reached.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Returns the time at which training, validation or testing last began; `None` before that, and for other stages.
    pub fn start_time(&self, stage: RunningStage) -> Option<Instant> {
        self.clock(stage)?.start
    }

    /// Returns the time at which a stage last ended; `None` before that, while it is running, and for other stages.
    pub fn end_time(&self, stage: RunningStage) -> Option<Instant> {
        self.clock(stage)?.end
    }

    /// Returns the duration of the last or the running stage; training includes the time before the run was resumed. A new
    /// `fit` resets all stages to zero.
    pub fn time_elapsed(&self, stage: RunningStage) -> Duration {
        self.elapsed(stage, Instant::now())
    }

    /// Returns the remaining time of training; `None` without a limit.
    pub fn time_remaining(&self) -> Option<Duration> {
        self.duration.map(|Span(duration)| duration.saturating_sub(self.time_elapsed(RunningStage::Training)))
    }

    fn clock(&self, stage: RunningStage) -> Option<&Clock> {
        match stage {
            RunningStage::Training => Some(&self.training),
            RunningStage::Validating => Some(&self.validation),
            RunningStage::Testing => Some(&self.test),
            RunningStage::SanityChecking | RunningStage::Predicting => None,
        }
    }

    fn elapsed(&self, stage: RunningStage, now: Instant) -> Duration {
        let before = if stage == RunningStage::Training { self.before } else { Duration::ZERO };
        before + self.clock(stage).map_or(Duration::ZERO, |clock| clock.elapsed(now))
    }

    fn check(&self, ctx: &mut RunContext) {
        let elapsed = self.time_elapsed(RunningStage::Training);
        let Some(limit) = self.duration.filter(|Span(limit)| elapsed >= *limit) else { return };
        let elapsed = Span(Duration::from_secs(elapsed.as_secs()));
        // printed once, where `min_epochs` or `min_steps` continues the run
        if self.verbose && !ctx.should_stop() && !ctx.can_stop_early() {
            messages::info!(
                "Timer: the time limit of {limit} is reached; training continues for `min_epochs` or `min_steps`"
            );
        }
        ctx.stop_because(format!("Timer: the time limit of {limit} was reached after {elapsed}"));
    }
}

impl<M: LightningModule> Callback<M> for Timer {
    fn name(&self) -> &'static str {
        "Timer"
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        match stage {
            Stage::Fit => {
                self.before = Duration::ZERO;
                (self.training, self.validation, self.test) = Default::default();
            }
            Stage::Validate => self.validation = Clock::default(),
            Stage::Test => self.test = Clock::default(),
            Stage::Predict => {}
        }
        Ok(())
    }

    /// Checks the time limit of a resumed run.
    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.check(ctx);
        Ok(())
    }

    fn on_train_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.training.start();
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        if self.interval == Interval::Step {
            self.check(ctx);
        }
        Ok(())
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        if self.interval == Interval::Epoch {
            self.check(ctx);
        }
        Ok(())
    }

    fn on_train_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.training.stop();
        Ok(())
    }

    fn on_validation_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.validation.start();
        Ok(())
    }

    fn on_validation_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.validation.stop();
        Ok(())
    }

    fn on_test_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.test.start();
        Ok(())
    }

    fn on_test_end(&mut self, _: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.test.stop();
        Ok(())
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        let time_elapsed = self.time_elapsed(RunningStage::Training).as_secs_f64();
        Ok(State { time_elapsed }.to_json()?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        let State { time_elapsed } = State::from_json(state_dict)?;
        self.before = Duration::try_from_secs_f64(time_elapsed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_stops_at_the_end_and_includes_time_before_the_run() {
        let seconds = Duration::from_secs;
        let start = Instant::now();
        let running = Clock { start: Some(start), end: None };
        let ended = Clock { start: Some(start), end: Some(start + seconds(5)) };
        let timer = Timer { before: seconds(100), training: running, validation: ended, ..Timer::new() };
        let elapsed = |stage| timer.elapsed(stage, start + seconds(7));
        assert_eq!(elapsed(RunningStage::Training), seconds(107));
        assert_eq!(elapsed(RunningStage::Validating), seconds(5));
        assert_eq!(elapsed(RunningStage::Testing), seconds(0));
    }

    #[test]
    fn remaining_time_is_never_negative() {
        let timer = Timer { before: Duration::from_secs(60), ..Timer::new() };
        assert_eq!(timer.time_remaining(), None);
        assert_eq!(timer.clone().duration(Duration::from_secs(100)).time_remaining(), Some(Duration::from_secs(40)));
        assert_eq!(timer.duration(Duration::from_secs(50)).time_remaining(), Some(Duration::ZERO));
    }
}
