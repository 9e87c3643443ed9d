//! `fit`, `validate`, `test` and `predict`: what each needs, and what it does within a run.

use super::requirements::{needs, needs_automatic_optimization, needs_step};
use super::{Metrics, Trainer};
use crate::error::Error;
use crate::hook::Hook;
use crate::loops::{self, Evaluation, Kind, TakesPrediction};
use crate::module::{DataSource, LightningModule, Run};
use crate::stage::Stage;

impl<M: LightningModule> Trainer<M> {
    /// [`Trainer::fit`] with the required hooks checked at run time.
    pub(crate) fn run_fit(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<(), Error> {
        let chosen = self.ctx.chosen_optimizer();
        needs_automatic_optimization::<M>(&self.config, chosen)?;
        needs_step::<M>(Stage::Fit, Hook::TrainingStep, data)?;
        let has_optimizers = chosen.is_some() || <M as LightningModule>::TABLE.overrides(Hook::ConfigureOptimizers);
        needs(Stage::Fit, Hook::ConfigureOptimizers, has_optimizers)?;
        self.run(Stage::Fit, module, data, |run, checkpoint| {
            let early = run.begin_fit(checkpoint)?;
            #[cfg(feature = "dashboard")]
            run.begin_dashboard();
            loops::fit(run, early)?;
            run.on_fit_end()
        })
    }

    /// [`Trainer::validate`] with the required hooks checked at run time.
    pub(crate) fn run_validate(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        self.run_without_training(Stage::Validate, Hook::ValidationStep, module, data, |run| {
            Evaluation::new(Kind::Validation).run_alone(run)
        })
    }

    /// [`Trainer::test`] with the required hooks checked at run time.
    pub(crate) fn run_test(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        self.run_without_training(Stage::Test, Hook::TestStep, module, data, |run| {
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
        self.run_without_training(Stage::Predict, Hook::PredictStep, module, data, |run| loops::predict(run, each))
    }

    /// Runs `body` with the module as a checkpoint has saved it, if there is one.
    fn run_without_training<T>(
        &mut self,
        stage: Stage,
        step: Hook,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        body: impl FnOnce(&mut Run<'_, M>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        needs_step::<M>(stage, step, data)?;
        self.run(stage, module, data, |run, checkpoint| {
            run.restore_from(checkpoint.as_ref())?;
            run.log_hyper_parameters()?;
            body(run)
        })
    }
}
