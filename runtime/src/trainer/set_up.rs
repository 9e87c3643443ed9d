//! The steps of every verb before and after its loop.

use crate::callbacks::{ModelCheckpoint, ModelSummary, ProgressBar, Timer};
use crate::checkpoint::Checkpoint;
use crate::config::LoggerChoice;
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::{Graph, RunStatus};
use crate::module::{
    Callback, Callbacks, LightningModule, LightningModuleTable, ModelHooksTable, Run, buffers, call_hook,
    repeated_paths, trainable, variables,
};
use crate::stage::Stage;
use crate::strategy::Operation;
use crate::{messages, panic};

impl<M: LightningModule> Run<'_, M> {
    /// Begins the loggers, and calls the hooks that come before any loop, after which the module is on its device.
    pub(super) fn set_up(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
        panic::warn_of_aborts();
        self.ctx.begin_loggers(checkpoint)?;
        self.add_callbacks()?;
        let stage = self.ctx.stage();
        self.agree_on_folder()?;
        if self.ctx.rank().local == 0 {
            self.data.prepare_data(self.module, self.ctx)?;
        }
        // the data is there before another process reads it
        self.ctx.group().barrier(Operation::Data)?;
        self.callbacks.setup(self.ctx, self.module, stage)?;
        self.data.setup(self.module, self.ctx, stage)?;
        self.callbacks.check_state_keys(self.ctx)?;
        ModelHooksTable::configure_sharded_model(self.module, self.ctx)?;
        ModelHooksTable::configure_model(self.module, self.ctx)?;
        repeated_paths::warn(self.module.parameters());
        convert_and_move(self)?;
        self.make_equal()?;
        if self.ctx.config().logger == LoggerChoice::Default && stage != Stage::Predict {
            self.ctx.loggers_mut().make_if_none(stage, checkpoint);
        }
        Ok(self.ctx.check_signals(None)?)
    }

    /// Lets all processes have the folder of rank 0.
    fn agree_on_folder(&mut self) -> Result<(), Error> {
        if self.ctx.world_size() == 1 {
            return Ok(());
        }
        let config = self.ctx.config();
        let writes = !self.ctx.is_fast_dev_run()
            && (config.enable_checkpointing || self.ctx.has_loggers() || config.logger == LoggerChoice::Default);
        let folder = if writes && self.ctx.is_global_zero() { Some(self.ctx.log_dir()?.to_owned()) } else { None };
        if let Some(folder) = self.ctx.of_rank_zero(Operation::Paths, folder)? {
            self.ctx.set_log_dir(folder);
        }
        Ok(())
    }

    /// Takes the parameters and buffers of rank 0.
    fn make_equal(&mut self) -> Result<(), Error> {
        if self.ctx.world_size() == 1 {
            return Ok(());
        }
        let store = self.module.parameters();
        let (parameters, buffers) = (trainable(store), buffers(store));
        Ok(self.ctx.strategy_mut().setup(&parameters, &buffers)?)
    }

    /// Adds the callbacks of the module and of the configuration.
    pub(super) fn add_callbacks(&mut self) -> Result<(), Error> {
        let configured = LightningModuleTable::configure_callbacks(self.module, self.ctx)?;
        self.callbacks.configure(configured);
        let of_trainer = of_trainer(self.callbacks, self.ctx);
        self.callbacks.add_of_run(of_trainer);
        let saves = self.ctx.config().enable_checkpointing && self.ctx.stage() == Stage::Fit;
        if saves && self.callbacks.find::<ModelCheckpoint>().is_none() {
            // kept in the trainer, so that its best checkpoint is available after a `test`
            self.callbacks.add(Box::new(ModelCheckpoint::new()));
        }
        Ok(())
    }

    /// Waits for the checkpoints that are being written, calls the hooks that come after every loop, and finishes the loggers.
    pub(super) fn tear_down(&mut self) -> Result<(), Error> {
        self.ctx.checkpoint_writer().finish()?;
        self.ctx.log_saved_checkpoints()?;
        let stage = self.ctx.stage();
        self.callbacks.teardown(self.ctx, self.module, stage)?;
        self.data.teardown(self.module, self.ctx, stage)?;
        self.ctx.finalize_loggers(RunStatus::Success)?;
        self.end_run_file(None);
        // the files of rank 0 are complete when the verb returns in any process
        Ok(self.ctx.group().barrier(Operation::End)?)
    }

    /// Passes the hyperparameters and the module's layers to the loggers, and writes the run's file.
    pub(crate) fn log_hyper_parameters(&mut self) -> Result<(), Error> {
        if self.ctx.has_loggers() {
            let graph = Graph::of(variables(self.module.parameters()).iter());
            self.ctx.log_hyper_parameters(&graph)?;
        }
        self.begin_run_file();
        self.ctx.show_folder();
        Ok(())
    }
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
                    messages::warning!("ignoring `max_time`, as the callbacks include a Timer");
                }
                Some(_) => {}
            }
        }
        if config.enable_model_summary && ctx.is_global_zero() && callbacks.find::<ModelSummary>().is_none() {
            added.push(Box::new(ModelSummary::new()));
        }
    }
    if config.enable_progress_bar && ctx.is_global_zero() {
        added.push(Box::new(ProgressBar::new()));
    }
    added
}

/// Takes the module to the run's dtype and device.
fn convert_and_move<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    let (device, precision) = (run.ctx.device(), run.ctx.config().precision);
    let module = &mut *run.module;
    call_hook::in_place_of(Hook::ConfigureModel, run.ctx, |_| {
        let store = module.parameters();
        precision.convert_module(store);
        if store.device() != device {
            store.set_device(device);
        }
        Ok(())
    })
}
