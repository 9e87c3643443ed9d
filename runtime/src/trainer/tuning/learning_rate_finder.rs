use super::sweep::Sweep;
use super::{Trainer, Weights, of_trial, undone};
use crate::error::Error;
use crate::module::{DataSource, LightningModule, Optimizes, Trains};
use serde::{Deserialize, Serialize};

/// A range test of learning rates: a short training in which each step has a higher rate than the one before.
/// Lightning's
/// [`LearningRateFinder`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateFinder.html),
/// with its defaults, for [`Trainer::lr_find`].
///
/// [Smith, *Cyclical Learning Rates for Training Neural Networks*](https://arxiv.org/abs/1506.01186).
///
/// ```
/// use tch_lightning::trainer::LearningRateFinder;
///
/// let finder = LearningRateFinder::new().min_lr(1e-6).max_lr(10.0).num_training_steps(200);
/// assert_eq!(finder.early_stop_threshold, Some(4.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct LearningRateFinder {
    /// The rate of the first step, above 0. Default 1e-8.
    pub min_lr: f64,
    /// The rate of the last step. Default 1.
    pub max_lr: f64,
    /// The number of steps, at least 1. Default 100.
    pub num_training_steps: usize,
    /// How the rate grows. Default [`SweepMode::Exponential`].
    pub mode: SweepMode,
    /// The test ends when the loss exceeds this factor times the smallest loss so far; `None` runs all steps.
    /// Default 4.
    pub early_stop_threshold: Option<f64>,
}

/// How the learning rate of a [`LearningRateFinder`] grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SweepMode {
    /// By the same factor at each step.
    #[default]
    Exponential,
    /// By the same amount at each step.
    Linear,
}

impl Default for LearningRateFinder {
    fn default() -> Self {
        Self {
            min_lr: 1e-8,
            max_lr: 1.0,
            num_training_steps: 100,
            mode: SweepMode::Exponential,
            early_stop_threshold: Some(4.0),
        }
    }
}

impl LearningRateFinder {
    /// A hundred steps from 1e-8 to 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rate of the first step.
    pub fn min_lr(self, min_lr: f64) -> Self {
        Self { min_lr, ..self }
    }

    /// Sets the rate of the last step.
    pub fn max_lr(self, max_lr: f64) -> Self {
        Self { max_lr, ..self }
    }

    /// Sets the number of steps.
    pub fn num_training_steps(self, steps: usize) -> Self {
        Self { num_training_steps: steps, ..self }
    }

    /// Sets how the rate grows.
    pub fn mode(self, mode: SweepMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets the factor of the smallest loss above which the test ends; `None` runs all steps.
    pub fn early_stop_threshold(self, threshold: impl Into<Option<f64>>) -> Self {
        Self { early_stop_threshold: threshold.into(), ..self }
    }

    /// The rate of a step, from 0. As in Lightning, the second is as far from the first as two steps are.
    pub(super) fn lr(&self, step: usize) -> f64 {
        let part = if step == 0 { 0.0 } else { (step + 1) as f64 / self.num_training_steps as f64 };
        match self.mode {
            SweepMode::Exponential => self.min_lr * (self.max_lr / self.min_lr).powf(part),
            SweepMode::Linear => self.min_lr + part * (self.max_lr - self.min_lr),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let is_rate = |lr: f64| lr > 0.0 && lr.is_finite();
        let mistake = if !is_rate(self.min_lr) || !is_rate(self.max_lr) {
            "`min_lr` and `max_lr` must be numbers above 0"
        } else if self.num_training_steps == 0 {
            "`num_training_steps` must be at least 1, but it is 0"
        } else {
            return Ok(());
        };
        Err(Error::configuration(format!("LearningRateFinder: {mistake}")))
    }
}

/// The loss for each learning rate, as measured by [`Trainer::lr_find`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningRateCurve {
    /// The rate of each step.
    pub lrs: Vec<f64>,
    /// The loss of each step, smoothed over the previous ones; NaN for a step without a loss.
    pub losses: Vec<f64>,
}

impl LearningRateCurve {
    /// The rate at which the loss falls most steeply, without the first ten steps and the last; `None` where fewer than
    /// two losses are left.
    pub fn suggestion(&self) -> Option<f64> {
        self.suggestion_without(10, 1)
    }

    /// [`suggestion`](Self::suggestion) without another number of steps at the beginning and the end.
    pub fn suggestion_without(&self, skip_begin: usize, skip_end: usize) -> Option<f64> {
        let end = self.lrs.len().min(self.losses.len()).saturating_sub(skip_end);
        let points = self.lrs.iter().copied().zip(self.losses.iter().copied()).take(end).skip(skip_begin);
        let points: Vec<(f64, f64)> = points.filter(|(_, loss)| loss.is_finite()).collect();
        let slopes = slopes(&points);
        let steepest =
            (0..slopes.len()).reduce(|best, other| if slopes[other] < slopes[best] { other } else { best })?;
        Some(points[steepest].0)
    }
}

/// The slope at each of at least two points, as `torch.gradient` estimates it: that of the parabola through a point and
/// its neighbours, and at both ends that of the line to the only neighbour.
fn slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let slope = |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| (y1 - y0) / (x1 - x0);
    let [first, second, ..] = *points else { return Vec::new() };
    let (last, before) = (points[points.len() - 1], points[points.len() - 2]);
    let inner = points.windows(3).map(|three| {
        let (left, right) = (three[1].0 - three[0].0, three[2].0 - three[1].0);
        (slope(three[0], three[1]) * right + slope(three[1], three[2]) * left) / (left + right)
    });
    std::iter::once(slope(first, second)).chain(inner).chain(std::iter::once(slope(before, last))).collect()
}

impl<M: LightningModule> Trainer<M> {
    /// Trains for a few steps with rising learning rates, to find a good one. Lightning's
    /// [`Tuner.lr_find`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.tuner.tuning.Tuner.html).
    ///
    /// The module must have one optimizer; its scheduler is ignored, as are validation, the trainer's callbacks and loggers, and
    /// the settings that end a run. The rest of the configuration applies. Afterwards the parameters, the buffers and the random
    /// numbers are restored; other changes by hooks stay. The loss is read after each step.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::trainer::LearningRateFinder;
    /// # struct Line { vs: nn::VarStore, layer: nn::Linear, lr: f64 }
    /// # #[lightning_module]
    /// # impl Line {
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// #     fn training_step(&self, batch: &(Tensor, Tensor)) -> Tensor {
    /// #         self.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean)
    /// #     }
    /// #     fn configure_optimizers(&self) -> Sgd { Sgd::new(self.lr) }
    /// #     fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
    /// #         let x = Tensor::linspace(-1.0, 1.0, 64, (Kind::Float, Device::Cpu)).unsqueeze(1);
    /// #         Ok(DataLoader::new(TensorDataset::new((x.shallow_clone(), x * 3.0))?).batch_size(16))
    /// #     }
    /// # }
    /// # let vs = nn::VarStore::new(Device::Cpu);
    /// # let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
    /// # let mut line = Line { vs, layer, lr: 0.1 };
    /// let trainer = Line::trainer();
    /// let found = trainer.lr_find(&mut line, (), &LearningRateFinder::new())?;
    /// line.lr = found.suggestion().unwrap_or(line.lr);
    /// # assert!(line.lr > 1e-8 && line.lr <= 1.0);
    /// # Ok::<(), tch_lightning::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] if a hook fails, the configuration is invalid, or the module does not have exactly one optimizer, or runs have several
    /// processes.
    pub fn lr_find(
        &self,
        module: &mut M,
        mut data: impl DataSource<M>,
        finder: &LearningRateFinder,
    ) -> Result<LearningRateCurve, Error>
    where
        M: Trains + Optimizes,
    {
        finder.check()?;
        self.refuse_processes("lr_find")?;
        let config = of_trial(&self.config, finder.num_training_steps);
        undone(config.accelerator.device(&config.devices)?, |weights: &Weights| {
            let trial = Trainer::new(config).chosen_optimizer(self.ctx.chosen_optimizer().cloned());
            let mut trial = trial.callback(weights.clone()).callback(Sweep::new(*finder));
            trial.run_fit(module, &mut data)?;
            Ok(trial.find_callback::<Sweep>().map(Sweep::curve).unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_a_parabola_are_exact_within() {
        let points: Vec<(f64, f64)> = [0.0, 1.0, 3.0, 4.0].iter().map(|x| (*x, x * x)).collect();
        // 2x, and at the ends the slopes of the lines from 0 to 1 and from 3 to 4
        assert_eq!(slopes(&points), [1.0, 2.0, 6.0, 7.0]);
        assert!(slopes(&points[..1]).is_empty());
    }

    #[test]
    fn nan_is_excluded_from_a_suggestion() {
        let lrs = vec![1.0, 2.0, 3.0, 4.0, 5.0];
        let losses = vec![9.0, f64::NAN, 8.0, 2.0, 1.0];
        let curve = LearningRateCurve { lrs, losses };
        assert_eq!(curve.suggestion_without(0, 0), Some(3.0));
        assert_eq!((curve.suggestion_without(4, 0), curve.suggestion()), (None, None));
    }
}
