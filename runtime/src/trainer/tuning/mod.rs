//! Searches for a good learning rate and a large batch size, in short trainings that leave the module as it was.

mod batch_size_finder;
mod learning_rate_finder;
mod sweep;

pub use batch_size_finder::{BatchSizeFinder, BatchSizeMode};
pub use learning_rate_finder::{LearningRateCurve, LearningRateFinder, SweepMode};

use super::Trainer;
use crate::config::{BatchLimit, FastDevRun, LoggerChoice, NonFiniteLoss, TrainerConfig};
use crate::context::Context;
use crate::context::phase::Outside;
use crate::error::Error;
use crate::module::{Callback, Copies, LightningModule};
use crate::native::RandomState;
use anyhow::Result;
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Device, TchError};

/// Returns the configuration of a trial with this number of steps, which writes no files.
fn of_trial(config: &TrainerConfig, steps: usize) -> TrainerConfig {
    TrainerConfig {
        max_steps: i64::try_from(steps).ok(),
        max_epochs: None,
        min_steps: None,
        min_epochs: None,
        max_time: None,
        fast_dev_run: FastDevRun::default(),
        limit_val_batches: BatchLimit::NONE,
        num_sanity_val_steps: 0,
        logger: LoggerChoice::Off,
        enable_checkpointing: false,
        enable_progress_bar: false,
        dashboard: false,
        enable_model_summary: false,
        // a search expects infinite losses
        on_non_finite_loss: NonFiniteLoss::Ignore,
        ..config.clone()
    }
}

/// Runs trials, and restores the module's weights and the random numbers afterwards.
fn undone<T>(device: Device, trials: impl FnOnce(&Weights) -> Result<T, Error>) -> Result<T, Error> {
    let (weights, random) = (Weights::default(), RandomState::of(device)?);
    let outcome = trials(&weights);
    weights.restore()?;
    random.restore()?;
    outcome
}

/// Copies of a module's parameters and buffers, made at the beginning of the first trial, as the module may create layers up to
/// then.
#[derive(Clone, Default)]
struct Weights(Rc<RefCell<Option<Copies>>>);

impl Weights {
    fn restore(&self) -> Result<(), TchError> {
        self.0.borrow_mut().as_mut().map_or(Ok(()), Copies::restore)
    }
}

impl<M: LightningModule> Callback<M> for Weights {
    fn name(&self) -> &'static str {
        "Weights"
    }

    fn on_fit_start(&mut self, _: &mut Context<Outside>, module: &mut M) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        if kept.is_none() {
            *kept = Some(Copies::of(module.parameters().variables().into_values())?);
        }
        Ok(())
    }
}
