//! What every verb does before its loop, and behind it.

use crate::callbacks::{ModelCheckpoint, ModelSummary, ProgressBar, Timer};
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::{Graph, RunStatus};
use crate::module::{
    Callback, Callbacks, LightningModule, LightningModuleTable, ModelHooksTable, Running, buffers, edge, trainable,
};
use crate::stage::Stage;
use crate::{messages, panic};

/// Calls the hooks that come before any loop, and takes the module to its device.
pub(super) fn begin<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    panic::warn_of_aborts();
    let configured = LightningModuleTable::configure_callbacks(running.module, running.ctx)?;
    running.callbacks.configure(configured);
    let of_trainer = of_trainer(running.callbacks, running.ctx);
    running.callbacks.add_of_run(of_trainer);
    let (config, stage) = (running.ctx.config(), running.ctx.stage());
    if config.enable_checkpointing && stage == Stage::Fit && running.callbacks.find::<ModelCheckpoint>().is_none() {
        // the trainer's own from now on, so that it can be asked for its best checkpoint after a `test`
        running.callbacks.add(Box::new(ModelCheckpoint::new()));
    }
    running.data.prepare_data(running.module, running.ctx)?;
    running.callbacks.setup(running.ctx, running.module, stage)?;
    running.data.setup(running.module, running.ctx, stage)?;
    running.callbacks.check_state_keys(running.ctx)?;
    ModelHooksTable::configure_sharded_model(running.module, running.ctx)?;
    ModelHooksTable::configure_model(running.module, running.ctx)?;
    convert_and_move(running)
}

/// The callbacks that the trainer adds to a run by its configuration.
fn of_trainer<M: LightningModule>(callbacks: &Callbacks<M>, ctx: &RunContext) -> Vec<Box<dyn Callback<M>>> {
    let config = ctx.config();
    let mut added: Vec<Box<dyn Callback<M>>> = Vec::new();
    if ctx.stage() == Stage::Fit {
        if let Some(max_time) = config.max_time {
            match callbacks.find::<Timer>() {
                None => added.push(Box::new(Timer::new().duration(max_time))),
                Some(timer) if timer.duration != Some(max_time) => {
                    messages::warning!("`max_time` is ignored, as there is a Timer among the callbacks");
                }
                Some(_) => {}
            }
        }
        if config.enable_model_summary {
            added.push(Box::new(ModelSummary::new()));
        }
    }
    if config.enable_progress_bar {
        added.push(Box::new(ProgressBar::new()));
    }
    added
}

/// Takes the module to the run's dtype and device.
fn convert_and_move<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let (device, precision) = (running.ctx.device(), running.ctx.config().precision);
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

impl<M: LightningModule> Running<'_, M> {
    /// Hands the hyperparameters and the module's layers to the loggers.
    pub(crate) fn log_hyper_parameters(&mut self) -> Result<(), Error> {
        if !self.ctx.has_loggers() {
            return Ok(());
        }
        let store = self.module.parameters();
        let graph = Graph::of(trainable(store).iter().chain(&buffers(store)));
        Ok(self.ctx.log_hyper_parameters(&graph)?)
    }
}

/// Calls the hooks that come behind every loop.
pub(super) fn end<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let stage = running.ctx.stage();
    running.callbacks.teardown(running.ctx, running.module, stage)?;
    running.data.teardown(running.module, running.ctx, stage)?;
    Ok(running.ctx.finalize_loggers(RunStatus::Success)?)
}
