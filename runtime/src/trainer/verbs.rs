//! `fit`, `validate`, `test` and `predict`: what each needs, and what it does within a run.

use super::Trainer;
use super::requirements::{needs, needs_automatic_optimization};
use crate::error::Error;
use crate::hook::Hook;
use crate::loops::{self, Evaluation, Kind, TakesPrediction};
use crate::module::{DataSource, LightningModule, Optimizes, Predicts, Tests, Trains, Validates};
use crate::stage::Stage;

/// What a verb logged for its epoch: names with their values.
pub type Metrics = Vec<(String, f64)>;

impl<M: LightningModule> Trainer<M> {
    /// Trains the module, and validates it within training where it has a `validation_step` and there is a loader for it.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn fit(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<(), Error>
    where
        M: Trains + Optimizes,
    {
        self.run_fit(module, &mut data)
    }

    /// [`Trainer::fit`] where only the run tells whether the hooks are there.
    pub(crate) fn run_fit(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<(), Error> {
        needs_automatic_optimization::<M>(&self.config)?;
        let table = &<M as LightningModule>::TABLE;
        needs(Stage::Fit, Hook::TrainingStep, table.training_step.is_some())?;
        needs(Stage::Fit, Hook::ConfigureOptimizers, table.configure_optimizers.is_some())?;
        needs(Stage::Fit, Hook::TrainDataloader, data.has(Hook::TrainDataloader))?;
        self.run(Stage::Fit, module, data, |running, checkpoint| {
            running.begin_fit(checkpoint)?;
            loops::fit(running)?;
            running.on_fit_end()
        })
    }

    /// Runs the validation loop alone. Returns what was logged for the epoch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn validate(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Metrics, Error>
    where
        M: Validates,
    {
        self.run_validate(module, &mut data)
    }

    /// [`Trainer::validate`] where only the run tells whether the hooks are there.
    pub(crate) fn run_validate(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        let has_step = <M as LightningModule>::TABLE.validation_step.is_some();
        needs(Stage::Validate, Hook::ValidationStep, has_step)?;
        needs(Stage::Validate, Hook::ValDataloader, data.has(Hook::ValDataloader))?;
        self.run(Stage::Validate, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            Evaluation::new(Kind::Validation).run_alone(running)
        })
    }

    /// Runs the test loop. Returns what was logged for the epoch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn test(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Metrics, Error>
    where
        M: Tests,
    {
        self.run_test(module, &mut data)
    }

    /// [`Trainer::test`] where only the run tells whether the hooks are there.
    pub(crate) fn run_test(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        needs(Stage::Test, Hook::TestStep, <M as LightningModule>::TABLE.test_step.is_some())?;
        needs(Stage::Test, Hook::TestDataloader, data.has(Hook::TestDataloader))?;
        self.run(Stage::Test, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            Evaluation::new(Kind::Test).run_alone(running)
        })
    }

    /// Runs the predict loop. Returns what `predict_step` returned for each batch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn predict(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Vec<M::Prediction>, Error>
    where
        M: Predicts,
    {
        self.run_predict(module, &mut data, None)
    }

    /// Runs the predict loop, and hands each value of `predict_step` to `each` as it comes, so that none is kept in memory. Lightning's
    /// `return_predictions=False`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::Loaders;
    /// # struct Doubler(nn::VarStore);
    /// #[lightning_module]
    /// impl Doubler {
    ///     fn predict_step(&self, batch: &Tensor) -> Tensor {
    ///         batch * 2.0
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.0 }
    /// }
    ///
    /// # let mut doubler = Doubler(nn::VarStore::new(Device::Cpu));
    /// let loader = DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0, 2.0, 3.0]))?).batch_size(2);
    /// let mut sum = 0.0;
    /// Doubler::trainer().predict_each(&mut doubler, Loaders::evaluation(loader), |prediction| {
    ///     sum += prediction.sum(Kind::Double).double_value(&[]);
    ///     Ok(())
    /// })?;
    /// assert_eq!(sum, 12.0);
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and [`Error::Prediction`] where `each` fails.
    pub fn predict_each(
        &mut self,
        module: &mut M,
        mut data: impl DataSource<M>,
        mut each: impl FnMut(M::Prediction) -> anyhow::Result<()>,
    ) -> Result<(), Error>
    where
        M: Predicts,
    {
        self.run_predict(module, &mut data, Some(&mut each)).map(drop)
    }

    /// [`Trainer::predict`] where only the run tells whether the hooks are there.
    pub(crate) fn run_predict(
        &mut self,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        each: Option<TakesPrediction<'_, M::Prediction>>,
    ) -> Result<Vec<M::Prediction>, Error> {
        needs(Stage::Predict, Hook::PredictStep, <M as LightningModule>::TABLE.predict_step.is_some())?;
        needs(Stage::Predict, Hook::PredictDataloader, data.has(Hook::PredictDataloader))?;
        self.run(Stage::Predict, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            loops::predict(running, each)
        })
    }
}
