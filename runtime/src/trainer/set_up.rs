//! What every verb does before its loop, and behind it.

use crate::callbacks::{ModelSummary, ProgressBar};
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::{CsvLogger, RunStatus};
use crate::module::{LightningModule, LightningModuleTable, ModelHooksTable, Running, edge};
use crate::stage::Stage;

/// Calls the hooks that come before any loop, and takes the module to its device.
pub(super) fn begin<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let mut of_run = LightningModuleTable::configure_callbacks(running.module, running.ctx)?;
    if running.ctx.config.enable_model_summary && running.ctx.stage == Stage::Fit {
        of_run.push(Box::new(ModelSummary::new()));
    }
    if running.ctx.config.enable_progress_bar {
        of_run.push(Box::new(ProgressBar::new()));
    }
    running.callbacks.add_of_run(of_run);
    let stage = running.ctx.stage;
    running.data.prepare_data(running.module, running.ctx)?;
    running.callbacks.setup(running.ctx, running.module, stage)?;
    running.data.setup(running.module, running.ctx, stage)?;
    ModelHooksTable::configure_sharded_model(running.module, running.ctx)?;
    ModelHooksTable::configure_model(running.module, running.ctx)?;
    convert_and_move(running)
}

/// Takes the module to the run's dtype and device.
fn convert_and_move<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let (device, precision) = (running.ctx.device, running.ctx.config.precision);
    let module = &mut *running.module;
    edge::module(Hook::ConfigureModel, running.ctx, |_| {
        let store = module.parameters();
        precision.convert_module(store);
        if store.device() != device {
            store.set_device(device);
        }
        Ok(())
    })
}

/// Makes the logger of a run that has none, once it is known that the run can begin, and tells the hyperparameters.
pub(super) fn make_logger(ctx: &mut RunContext) -> Result<(), Error> {
    if ctx.config.logger && ctx.loggers.is_empty() && ctx.stage != Stage::Predict {
        let logger = CsvLogger::new(ctx.log_dir()?);
        ctx.loggers.push(Box::new(logger));
    }
    match &ctx.hyper_parameters {
        Some(hyper_parameters) => {
            ctx.loggers.iter_mut().try_for_each(|logger| logger.log_hyperparams(hyper_parameters))
        }
        None => Ok(()),
    }
}

/// Calls the hooks that come behind every loop.
pub(super) fn end<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let stage = running.ctx.stage;
    running.callbacks.teardown(running.ctx, running.module, stage)?;
    running.data.teardown(running.module, running.ctx, stage)?;
    running.ctx.loggers.iter_mut().try_for_each(|logger| logger.finalize(RunStatus::Success))
}
