//! Restoring a run from a checkpoint.

use super::misfit::{self, check_optimizer_groups, check_training, of_file};
use super::optimizers::{check_optimizers, make_optimizers};
use super::processes::describe_resume;
use crate::checkpoint::{Checkpoint, Metadata, of_optimizer};
use crate::config::Resume;
use crate::context::RunContext;
use crate::counted::counted;
use crate::error::Error;
use crate::loops::Training;
use crate::messages;
use crate::module::{CheckpointHooksTable, Copies, LightningModule, Run, trainable};
use crate::native::set_gradient;
use crate::progress::GRADIENT;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;
use tch::nn::VarStore;

impl<M: LightningModule> Run<'_, M> {
    /// Creates the optimizers of a `fit`, and restores the state before its first epoch from the checkpoint, if there is one. If
    /// the checkpoint does not fit the run, the module's parameters and buffers are unchanged. Returns the training loader if
    /// `configure_optimizers` needed it.
    pub(super) fn begin_fit(&mut self, checkpoint: Option<Checkpoint>) -> Result<Option<Training<M>>, Error> {
        self.see_frozen();
        let Some(checkpoint) = checkpoint else {
            let early = make_optimizers(self)?;
            check_optimizers(self.ctx)?;
            self.on_fit_start()?;
            return Ok(early);
        };
        let mut before = Copies::of(self.variables().into_iter().map(|(_, tensor)| tensor))?;
        self.resume(checkpoint).inspect_err(|_| {
            // what a hook has replaced since then is not the module's any more
            let _ = before.restore();
        })
    }

    fn resume(&mut self, mut checkpoint: Checkpoint) -> Result<Option<Training<M>>, Error> {
        let resume = self.ctx.config().resume;
        match resume {
            Resume::All => self.restore(&checkpoint)?,
            Resume::Optimizer | Resume::Weights => self.restore_module(&checkpoint)?,
        }
        let early = make_optimizers(self)?;
        check_optimizers(self.ctx)?;
        self.on_fit_start()?;
        match resume {
            Resume::All => {
                self.complete_from_lightning(&mut checkpoint)?;
                restore_training(self.module.parameters(), self.ctx, checkpoint)?;
            }
            Resume::Optimizer => {
                self.complete_from_lightning(&mut checkpoint)?;
                restore_optimizers_alone(self.ctx, &checkpoint)?;
            }
            Resume::Weights => describe_new_run("weights", self.ctx),
        }
        check_optimizers(self.ctx)?;
        if resume != Resume::All {
            // nothing else of the checkpoint is restored later
            self.ctx.set_restored();
        }
        Ok(early)
    }

    /// Takes the module from a checkpoint, if there is one.
    pub(super) fn restore_from(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
        checkpoint.map_or(Ok(()), |checkpoint| self.restore(checkpoint))
    }

    /// Restores the data module, the module's parameters and buffers, and the callbacks from a checkpoint, in Lightning's order:
    /// the module's hook is called before the callbacks' hooks.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let Metadata { callbacks, data_module, .. } = &checkpoint.metadata;
        if !data_module.is_null() {
            self.data.load_state_dict(self.ctx, data_module)?;
        }
        self.restore_module(checkpoint)?;
        self.callbacks.on_load_checkpoint(self.ctx, self.module, checkpoint)?;
        let of_lightning = self.callback_states_of_lightning(checkpoint);
        let callbacks = of_lightning.as_ref().unwrap_or(callbacks);
        self.callbacks.load_state_dicts(self.ctx, callbacks).map_err(|error| of_file(error, self.ctx))
    }

    /// Restores the module's parameters and buffers.
    fn restore_module(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        CheckpointHooksTable::on_load_checkpoint(self.module, self.ctx, checkpoint)?;
        checkpoint.load_into(&self.variables()).map_err(|error| {
            let saved = checkpoint.metadata.hyper_parameters.as_ref();
            of_file(error.with_hyper_parameters(saved, self.ctx.hyper_parameters()).into(), self.ctx)
        })
    }

    /// Restores the checkpoint's state of the current epoch and its random numbers. Called after the set-up and `on_train_start`, so
    /// that neither changes them.
    pub(crate) fn restore_epoch(&mut self) -> Result<(), Error> {
        let Some(checkpoint) = self.ctx.take_resumed() else { return Ok(()) };
        describe_resume(&checkpoint, self.ctx);
        if let Some(processes) = &checkpoint.metadata.processes {
            self.ctx.strategy_mut().set_gradient_order(processes.gradient_order.clone());
        }
        self.refreeze(&checkpoint.metadata.run.refrozen);
        restore_gradients(self.module.parameters(), &checkpoint)?;
        self.ctx.restore_state(checkpoint).map_err(|error| of_file(error.into(), self.ctx))?;
        self.ctx.set_restored();
        self.save_what_was_asked_for()
    }
}

// The functions below are not methods of `Run`, as each program would compile them.

/// Restores the optimizers' state and the counters from a checkpoint. The rest of the checkpoint is kept for
/// [`restore_epoch`](Run::restore_epoch).
fn restore_training(parameters: &VarStore, ctx: &mut RunContext, checkpoint: Checkpoint) -> Result<(), Error> {
    let progress = checkpoint.metadata.progress.resumed();
    if let Some(epochs) = ctx.config().epoch_limit().filter(|epochs| progress.current_epoch() > *epochs) {
        let done = progress.trained_epochs();
        return Err(Error::configuration(format!(
            "the checkpoint was written after {}, but `max_epochs` is {epochs}: set it to more than {done} to continue",
            counted(done, "epoch")
        )));
    }
    check_training(&checkpoint, ctx)?;
    check_gradients(parameters, ctx, &checkpoint)?;
    restore_optimizers(ctx, &checkpoint).map_err(|error| of_file(error, ctx))?;
    if let Some(state) = checkpoint.metadata.grad_scaler {
        ctx.restore_grad_scaler(state)?;
    }
    ctx.set_seed(checkpoint.metadata.run.seed);
    let rows = ctx.progress().rows();
    *ctx.progress_mut() = checkpoint.metadata.progress.resumed_after_rows(rows);
    ctx.keep_resumed(checkpoint);
    Ok(())
}

/// Restores the optimizers' states for a new run, which has its own settings and schedules.
fn restore_optimizers_alone(ctx: &mut RunContext, checkpoint: &Checkpoint) -> Result<(), Error> {
    check_optimizer_groups(checkpoint, ctx)?;
    restore_optimizer_states(ctx, checkpoint).map_err(|error| of_file(error, ctx))?;
    describe_new_run("weights and the states of the optimizers", ctx);
    Ok(())
}

fn describe_new_run(part: &str, ctx: &RunContext) {
    let path = ctx.ckpt_path().unwrap_or(Path::new("")).display();
    messages::info!("a new run begins with the {part} in {path}");
}

fn restore_optimizer_states(ctx: &mut RunContext, checkpoint: &Checkpoint) -> Result<(), Error> {
    for (index, optimizer) in ctx.optimizers_mut().iter_mut().enumerate() {
        let prefix = of_optimizer(index);
        let state = checkpoint.under(&prefix).map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
        optimizer.load_state(state)?;
    }
    for (optimizer, saved) in ctx.optimizers_mut().iter_mut().zip(&checkpoint.metadata.optimizers) {
        optimizer.set_steps(saved.steps);
    }
    Ok(())
}

fn restore_optimizers(ctx: &mut RunContext, checkpoint: &Checkpoint) -> Result<(), Error> {
    restore_optimizer_states(ctx, checkpoint)?;
    for (optimizer, saved) in ctx.optimizers_mut().iter_mut().zip(&checkpoint.metadata.optimizers) {
        for (group, algorithm) in optimizer.groups_mut().iter_mut().zip(&saved.groups) {
            group.set_algorithm(algorithm.clone())?;
        }
    }
    Ok(ctx.load_lr_scheduler_states(&checkpoint.metadata.lr_schedulers, &checkpoint.metadata.run.lr_schedules)?)
}

fn check_gradients(parameters: &VarStore, ctx: &RunContext, checkpoint: &Checkpoint) -> Result<(), Error> {
    let parameters = trainable(parameters);
    let parameters: BTreeMap<String, Tensor> =
        parameters.into_iter().map(|(name, parameter)| (format!("{GRADIENT}{name}"), parameter)).collect();
    let saved = checkpoint.tensors.iter();
    let gradients = saved.filter_map(|(name, saved)| Some((name.as_str(), saved, parameters.get(name)?)));
    misfit::check_gradients(gradients, ctx)
}

fn restore_gradients(parameters: &VarStore, checkpoint: &Checkpoint) -> Result<(), Error> {
    for (name, parameter) in trainable(parameters) {
        if let Some(gradient) = checkpoint.tensors.get(&format!("{GRADIENT}{name}")) {
            // the run may have another precision than the one that wrote it
            let gradient = gradient.f_to_device(parameter.device())?.f_to_kind(parameter.f_kind()?)?;
            set_gradient(&parameter, &gradient)?;
        }
    }
    Ok(())
}
