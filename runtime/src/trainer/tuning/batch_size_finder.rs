use super::{Trainer, Weights, of_trial, undone};
use crate::config::{BatchLimit, TrainerConfig};
use crate::error::Error;
use crate::error_chain::in_one_line;
use crate::module::{DataSource, LightningModule, Optimizes, Trains};
use crate::native::empty_cache;
use serde::{Deserialize, Serialize};

/// A search for the largest batch size whose training fits into memory. Lightning's
/// [`BatchSizeFinder`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.BatchSizeFinder.html),
/// with its defaults, for [`Trainer::scale_batch_size`].
///
/// ```
/// use tch_lightning::{trainer::{BatchSizeFinder, BatchSizeMode}};
///
/// let finder = BatchSizeFinder::new().mode(BatchSizeMode::Binsearch).init_val(32);
/// assert_eq!(finder.margin, 0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct BatchSizeFinder {
    /// How sizes are chosen. Default [`BatchSizeMode::Power`].
    pub mode: BatchSizeMode,
    /// How many steps a size is tried for. Default 3.
    pub steps_per_trial: usize,
    /// The first size, at least 1. Default 2.
    pub init_val: usize,
    /// How many sizes are tried at most. Default 25.
    pub max_trials: usize,
    /// By which part a size that a binary search has found is made smaller, for safety; at least 0 and below 1. Default
    /// 0.05.
    pub margin: f64,
    /// The upper limit of the size. It is not tried, but returned if it is reached. Default 8192.
    pub max_val: usize,
}

/// How a [`BatchSizeFinder`] chooses sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BatchSizeMode {
    /// Twice the size before, until one does not fit.
    #[default]
    Power,
    /// The same, and then a binary search between the last that fits and the first that does not.
    Binsearch,
}

impl Default for BatchSizeFinder {
    fn default() -> Self {
        Self {
            mode: BatchSizeMode::Power,
            steps_per_trial: 3,
            init_val: 2,
            max_trials: 25,
            margin: 0.05,
            max_val: 8192,
        }
    }
}

impl BatchSizeFinder {
    /// Doubles the size from 2 on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how sizes are chosen.
    pub fn mode(self, mode: BatchSizeMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets how many steps a size is tried for.
    pub fn steps_per_trial(self, steps: usize) -> Self {
        Self { steps_per_trial: steps, ..self }
    }

    /// Sets the first size.
    pub fn init_val(self, size: usize) -> Self {
        Self { init_val: size, ..self }
    }

    /// Sets how many sizes are tried at most.
    pub fn max_trials(self, trials: usize) -> Self {
        Self { max_trials: trials, ..self }
    }

    /// Sets by which part a size that a binary search has found is made smaller.
    pub fn margin(self, margin: f64) -> Self {
        Self { margin, ..self }
    }

    /// Sets the size that is not tried any more.
    pub fn max_val(self, size: usize) -> Self {
        Self { max_val: size, ..self }
    }

    fn check(&self) -> Result<(), Error> {
        let mistake = if self.init_val == 0 || self.steps_per_trial == 0 || self.max_trials == 0 || self.max_val == 0 {
            "`init_val`, `steps_per_trial`, `max_trials` and `max_val` must be at least 1"
        } else if !(0.0..1.0).contains(&self.margin) {
            "`margin` must be at least 0 and below 1"
        } else {
            return Ok(());
        };
        Err(Error::configuration(format!("BatchSizeFinder: {mistake}")))
    }

    /// Returns the largest size that fits, according to `attempt`.
    fn search(&self, mut attempt: impl FnMut(usize) -> Result<Fit, Error>) -> Result<usize, Error> {
        let (mut fits, mut too_large) = (None, None);
        let mut size = self.init_val;
        for _ in 0..self.max_trials {
            if size >= self.max_val {
                return Ok(size);
            }
            match attempt(size)? {
                Fit::Fits { is_all: true } => return Ok(size),
                Fit::Fits { is_all: false } => fits = Some(size),
                Fit::TooLarge(error) if size == 1 => return Err(error),
                Fit::TooLarge(_) => too_large = Some(size),
            }
            size = match (too_large, self.mode) {
                (None, _) => (2 * size).min(self.max_val),
                (Some(too_large), BatchSizeMode::Power) => fits.unwrap_or(too_large / 2),
                (Some(too_large), BatchSizeMode::Binsearch) => (fits.unwrap_or(1) + too_large) / 2,
            };
            if fits == Some(size) {
                return Ok(size);
            }
        }
        Ok(fits.unwrap_or(size))
    }

    /// The size with the margin taken off.
    fn with_margin(&self, size: usize) -> usize {
        match self.mode {
            BatchSizeMode::Power => size,
            BatchSizeMode::Binsearch => ((size as f64 * (1.0 - self.margin)) as usize).max(1),
        }
    }
}

/// The result of trying a size.
enum Fit {
    /// It fits; `is_all`, if the batch has all of the data.
    Fits { is_all: bool },
    /// The size does not fit; the message of libtorch.
    TooLarge(Error),
}

/// Whether a device or the host had no memory left.
fn is_out_of_memory(error: &Error) -> bool {
    let said = error.to_string();
    ["out of memory", "can't allocate memory", "CUDNN_STATUS_NOT_SUPPORTED"].iter().any(|part| said.contains(part))
}

impl<M: LightningModule> Trainer<M> {
    /// Trains for a few steps with one batch size after the other, to find a large one that fits into memory.
    /// Lightning's
    /// [`Tuner.scale_batch_size`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.tuner.tuning.Tuner.html).
    ///
    /// `data` returns the training data for a batch size, of any type that [`fit`](Self::fit) takes. A size that covers the epoch
    /// in one batch is not doubled again. Callbacks, loggers and validation are not run, and the module is restored afterwards, as
    /// by [`lr_find`](Self::lr_find).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{trainer::BatchSizeFinder, Loaders};
    /// # struct Line { vs: nn::VarStore, layer: nn::Linear }
    /// # #[lightning_module]
    /// # impl Line {
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// #     fn training_step(&self, batch: &Tensor) -> Tensor { self.layer.forward(batch).square().mean(Kind::Float) }
    /// #     fn configure_optimizers(&self) -> Sgd { Sgd::new(0.1) }
    /// # }
    /// # let vs = nn::VarStore::new(Device::Cpu);
    /// # let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
    /// # let mut line = Line { vs, layer };
    /// let rows = Tensor::zeros([100, 1], (Kind::Float, Device::Cpu));
    /// let loader = |batch_size| {
    ///     let rows = TensorDataset::new(rows.shallow_clone())?;
    ///     Ok(Loaders::train(DataLoader::new(rows).batch_size(batch_size)))
    /// };
    /// let batch_size = Line::trainer().scale_batch_size(&mut line, loader, &BatchSizeFinder::new())?;
    /// assert_eq!(batch_size, 128);
    /// # Ok::<(), tch_lightning::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`]: what `data` or a hook returned, other than that memory is out; that too, if not even one sample fits.
    pub fn scale_batch_size<D: DataSource<M>>(
        &self,
        module: &mut M,
        mut data: impl FnMut(usize) -> anyhow::Result<D>,
        finder: &BatchSizeFinder,
    ) -> Result<usize, Error>
    where
        M: Trains + Optimizes,
    {
        finder.check()?;
        self.refuse_processes("scale_batch_size")?;
        let config = of_trial(&self.config, finder.steps_per_trial);
        let config = TrainerConfig { limit_train_batches: BatchLimit::ALL, ..config };
        let size = undone(config.accelerator.device(&config.devices)?, |weights: &Weights| {
            finder.search(|size| {
                let mut data = data(size).map_err(|error| made_no_data(size, &error))?;
                let optimizer = self.ctx.chosen_optimizer().cloned();
                let mut trial = Trainer::new(config.clone()).chosen_optimizer(optimizer).callback(weights.clone());
                let outcome = trial.run_fit(module, &mut data);
                let batches = trial.context().num_training_batches();
                let device = trial.context().device();
                drop(trial);
                empty_cache(device)?;
                match outcome {
                    Ok(()) => Ok(Fit::Fits { is_all: batches.is_some_and(|batches| batches <= 1) }),
                    Err(error) if is_out_of_memory(&error) => Ok(Fit::TooLarge(error)),
                    Err(error) => Err(error),
                }
            })
        });
        size.map(|size| finder.with_margin(size))
    }
}

fn made_no_data(size: usize, error: &anyhow::Error) -> Error {
    Error::configuration(format!(
        "BatchSizeFinder: there is no data for a batch size of {size}: {}",
        in_one_line(error)
    ))
}
