//! `fit`, `validate`, `test` and `predict`: what each needs, and what it does within a run.

use super::requirements::{needs, needs_automatic_optimization};
use super::{Metrics, Trainer};
use crate::error::Error;
use crate::hook::Hook;
use crate::loops::{self, Evaluation, Kind, TakesPrediction};
use crate::module::{DataSource, LightningModule};
use crate::stage::Stage;

impl<M: LightningModule> Trainer<M> {
    /// [`Trainer::fit`] with the required hooks checked at run time.
    pub(crate) fn run_fit(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<(), Error> {
        needs_automatic_optimization::<M>(&self.config)?;
        let table = &<M as LightningModule>::TABLE;
        needs(Stage::Fit, Hook::TrainingStep, table.training_step.is_some())?;
        needs(Stage::Fit, Hook::ConfigureOptimizers, table.configure_optimizers.is_some())?;
        needs(Stage::Fit, Hook::TrainDataloader, data.has(Hook::TrainDataloader))?;
        self.run(Stage::Fit, module, data, |run, checkpoint| {
            let early = run.begin_fit(checkpoint)?;
            loops::fit(run, early)?;
            run.on_fit_end()
        })
    }

    /// [`Trainer::validate`] with the required hooks checked at run time.
    pub(crate) fn run_validate(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        let has_step = <M as LightningModule>::TABLE.validation_step.is_some();
        needs(Stage::Validate, Hook::ValidationStep, has_step)?;
        needs(Stage::Validate, Hook::ValDataloader, data.has(Hook::ValDataloader))?;
        self.run(Stage::Validate, module, data, |run, checkpoint| {
            run.restore_from(checkpoint.as_ref())?;
            run.log_hyper_parameters()?;
            Evaluation::new(Kind::Validation).run_alone(run)
        })
    }

    /// [`Trainer::test`] with the required hooks checked at run time.
    pub(crate) fn run_test(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        needs(Stage::Test, Hook::TestStep, <M as LightningModule>::TABLE.test_step.is_some())?;
        needs(Stage::Test, Hook::TestDataloader, data.has(Hook::TestDataloader))?;
        self.run(Stage::Test, module, data, |run, checkpoint| {
            run.restore_from(checkpoint.as_ref())?;
            run.log_hyper_parameters()?;
            Evaluation::new(Kind::Test).run_alone(run)
        })
    }

    /// [`Trainer::predict`] with the required hooks checked at run time.
    pub(crate) fn run_predict(
        &mut self,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        each: Option<TakesPrediction<'_, M::Prediction>>,
    ) -> Result<Vec<M::Prediction>, Error> {
        needs(Stage::Predict, Hook::PredictStep, <M as LightningModule>::TABLE.predict_step.is_some())?;
        needs(Stage::Predict, Hook::PredictDataloader, data.has(Hook::PredictDataloader))?;
        self.run(Stage::Predict, module, data, |run, checkpoint| {
            run.restore_from(checkpoint.as_ref())?;
            run.log_hyper_parameters()?;
            loops::predict(run, each)
        })
    }
}
