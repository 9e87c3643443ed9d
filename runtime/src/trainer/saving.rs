//! Writing the requested checkpoints of a run.

use crate::checkpoint::SaveRequest;
use crate::checkpoint::retention::{Outdated, link};
use crate::checkpoint::writer::IsWritten;
use crate::checkpoint::{Checkpoint, FrozenParameters, MODULE, Metadata, SavedOptimizer, of_optimizer};
use crate::context::{PendingSave, RunContext};
use crate::error::Error;
use crate::loggers::SavedCheckpoint;
use crate::module::{CheckpointHooksTable, LightningModule, Run, trainable, variables};
use crate::optim::Optimizer;
use crate::precision::GradScaler;
use crate::profiler::Region;
use crate::progress::{GRADIENT, Position};
use crate::strategy::{Call, Operation};
use std::path::{Path, PathBuf};
use tch::nn::VarStore;

impl<M: LightningModule> Run<'_, M> {
    /// Calls the hooks of the checkpoints requested since the last call, and writes them, if training can resume from this
    /// point.
    #[inline]
    pub(crate) fn save_what_was_asked_for(&mut self) -> Result<(), Error> {
        if self.ctx.save_requests().is_empty() { Ok(()) } else { self.measured(Region::Checkpoint, Self::prepare_all) }
    }

    /// Writes the requested checkpoints. The loops call it at points from which training can resume.
    #[inline]
    pub(crate) fn save_what_is_pending(&mut self) -> Result<(), Error> {
        if self.ctx.has_pending_saves() { self.measured(Region::Checkpoint, Self::write_all) } else { Ok(()) }
    }

    #[cold]
    fn prepare_all(&mut self) -> Result<(), Error> {
        if self.ctx.is_restoring() {
            // a checkpoint requested before the resumed one has been restored is written after the restore
            return Ok(());
        }
        for call in self.ctx.take_called_saves() {
            self.ctx.compare(call)?;
        }
        for request in self.ctx.take_save_requests() {
            let checkpoint = match &request.link_to {
                Some(_) => None,
                None => Some(self.prepared(request.weights_only, request.save_frozen)?),
            };
            let at = self.ctx.logged_at();
            self.ctx.queue_save(PendingSave { request, checkpoint, at });
        }
        if self.ctx.progress().position() == Position::Between { self.write_all() } else { Ok(()) }
    }

    #[cold]
    fn write_all(&mut self) -> Result<(), Error> {
        self.compare_replicas()?;
        let pending = self.ctx.take_pending_saves();
        let mut outdated = outdated_by(&pending);
        let last = pending.len().saturating_sub(1);
        for (index, PendingSave { request, checkpoint, at }) in pending.into_iter().enumerate() {
            // the last request may be a link: older checkpoints are removed after it has been updated
            let outdated = if index == last { std::mem::take(&mut outdated) } else { Vec::new() };
            self.ctx.note_checkpoint(&request.path);
            let writes = self.ctx.is_global_zero();
            match checkpoint {
                Some(checkpoint) if !writes => drop(self.complete(checkpoint, request.weights_only)?),
                None if !writes => {}
                Some(checkpoint) => {
                    let checkpoint = self.complete(checkpoint, request.weights_only)?;
                    let saved = SavedCheckpoint::new(request.path.clone(), request.weights_only, request.score);
                    let is_written = write(self.ctx, checkpoint, request.path, outdated)?;
                    self.ctx.log_when_written(saved, at, is_written);
                }
                None => write_link(self.ctx, request.path, request.link_to.unwrap_or_default(), outdated)?,
            }
        }
        Ok(self.ctx.log_saved_checkpoints()?)
    }

    /// Fails if the parameters of the processes differ, of which a checkpoint has those of rank 0.
    pub(crate) fn compare_replicas(&mut self) -> Result<(), Error> {
        if self.ctx.world_size() == 1 {
            return Ok(());
        }
        let parameters = trainable(self.module.parameters());
        Ok(self.ctx.compare_replicas(&parameters)?)
    }

    /// Writes the run's checkpoint to `path`.
    pub(super) fn save_checkpoint(&mut self, path: &Path, weights_only: bool) -> Result<(), Error> {
        self.ctx.compare(Call::of_program("Trainer::save_checkpoint"))?;
        self.compare_replicas()?;
        let checkpoint = self.prepared(weights_only, true)?;
        let checkpoint = self.complete(checkpoint, weights_only)?;
        if self.ctx.is_global_zero() {
            checkpoint.write(path)?;
        }
        // the file is there when this returns in any process
        if self.ctx.is_together() {
            self.ctx.group().barrier(Operation::Checkpoint)?;
        }
        Ok(())
    }

    /// Returns a checkpoint with the additions of the hooks. Its tensors are handles to the module's, so that their values at the time
    /// of writing are saved.
    fn prepared(&mut self, weights_only: bool, save_frozen: bool) -> Result<Checkpoint, Error> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.metadata.module = std::any::type_name::<M>().to_owned();
        checkpoint.metadata.hyper_parameters = self.ctx.hyper_parameters().cloned();
        self.add_counters(&mut checkpoint.metadata);
        let (variables, elsewhere) = if save_frozen { (self.variables(), Vec::new()) } else { self.without_frozen() };
        checkpoint.metadata.frozen = FrozenParameters::of(elsewhere)?;
        checkpoint.tensors.extend(variables.into_iter().map(|(name, tensor)| (format!("{MODULE}{name}"), tensor)));
        if !weights_only {
            self.save_callbacks(&mut checkpoint, false)?;
        }
        CheckpointHooksTable::on_save_checkpoint(self.module, self.ctx, &mut checkpoint)?;
        Ok(checkpoint)
    }

    /// Calls `on_save_checkpoint` of the callbacks that save when the file is written, or of the others.
    fn save_callbacks(&mut self, checkpoint: &mut Checkpoint, when_written: bool) -> Result<(), Error> {
        for index in 0..self.callbacks.list.len() {
            if self.callbacks.list[index].saves_when_written() == when_written {
                self.on_save_checkpoint_of(index, checkpoint)?;
            }
        }
        Ok(())
    }

    fn add_counters(&self, metadata: &mut Metadata) {
        metadata.epoch = self.ctx.progress().current_epoch();
        metadata.global_step = self.ctx.progress().global_step();
        metadata.progress = self.ctx.progress().clone();
    }

    /// Adds the state at the time of writing: by then, the hook that requested the checkpoint has been called on all callbacks.
    fn complete(&mut self, mut checkpoint: Checkpoint, weights_only: bool) -> Result<Checkpoint, Error> {
        self.add_counters(&mut checkpoint.metadata);
        // a power cut must not undo rows from before a checkpoint that survives it
        self.ctx.save_loggers()?;
        if weights_only {
            // another process finds the best checkpoint of the run by the states of its `ModelCheckpoint`s
            checkpoint.metadata.callbacks =
                self.callbacks.states_of(self.ctx, |callback| callback.writes_checkpoints())?;
            return Ok(checkpoint);
        }
        self.save_callbacks(&mut checkpoint, true)?;
        let metadata = &mut checkpoint.metadata;
        metadata.callbacks = self.callbacks.states_of(self.ctx, |_| true)?;
        metadata.data_module = self.data.state_dict(self.ctx)?;
        add_state(self.ctx, &mut checkpoint)?;
        checkpoint.metadata.run.refrozen = self.refrozen();
        checkpoint.tensors.extend(self.gradients());
        self.add_processes(&mut checkpoint)?;
        Ok(checkpoint)
    }

    /// Returns the gradients that the next batch accumulates into: those of an open accumulation window, and all existing ones if
    /// the module zeroes gradients itself.
    fn gradients(&mut self) -> Vec<(String, tch::Tensor)> {
        let zeroes_them = !M::AUTOMATIC_OPTIMIZATION || <M as LightningModule>::TABLE.optimizer_zero_grad.is_some();
        if !zeroes_them && !self.ctx.progress().is_within_window() {
            return Vec::new();
        }
        gradients(self.module.parameters())
    }

    pub(super) fn variables(&mut self) -> Vec<(String, tch::Tensor)> {
        variables(self.module.parameters())
    }
}

// The functions below are not methods of `Run`, as each program would compile them.

fn outdated_by(pending: &[PendingSave]) -> Vec<Outdated> {
    SaveRequest::outdated(&pending.iter().map(|pending| &pending.request).collect::<Vec<_>>())
}

/// Writes a checkpoint, and then removes what is outdated: here, or by the thread that does so during the training.
fn write(
    ctx: &mut RunContext,
    checkpoint: Checkpoint,
    path: PathBuf,
    outdated: Vec<Outdated>,
) -> Result<IsWritten, Error> {
    if ctx.config().async_checkpointing {
        return Ok(ctx.checkpoint_writer().write(checkpoint.snapshot()?, path, outdated)?);
    }
    checkpoint.write(&path)?;
    outdated.iter().try_for_each(Outdated::remove)?;
    Ok(IsWritten::already())
}

fn write_link(ctx: &mut RunContext, path: PathBuf, target: PathBuf, outdated: Vec<Outdated>) -> Result<(), Error> {
    if ctx.config().async_checkpointing {
        return Ok(ctx.checkpoint_writer().link(path, target, outdated)?);
    }
    link(&path, &target)?;
    Ok(outdated.iter().try_for_each(Outdated::remove)?)
}

/// Adds the state of the optimizers and of the run, apart from that of the module.
fn add_state(ctx: &mut RunContext, checkpoint: &mut Checkpoint) -> Result<(), Error> {
    let metadata = &mut checkpoint.metadata;
    metadata.optimizers = ctx.optimizers().iter().map(saved).collect();
    metadata.lr_schedulers = ctx.lr_schedulers().iter().map(|scheduler| scheduler.state()).collect();
    metadata.grad_scaler = ctx.grad_scaler().map(GradScaler::state).transpose()?;
    ctx.join_metrics_of_last_batch()?;
    let (state, tensors) = ctx.state()?;
    metadata.run = state;
    checkpoint.tensors.extend(tensors);
    for (index, optimizer) in ctx.optimizers().iter().enumerate() {
        let state = optimizer.state()?.into_iter();
        checkpoint.tensors.extend(state.map(|(name, tensor)| (format!("{}{name}", of_optimizer(index)), tensor)));
    }
    Ok(())
}

fn gradients(parameters: &VarStore) -> Vec<(String, tch::Tensor)> {
    let parameters = trainable(parameters).into_iter();
    let gradients = parameters.map(|(name, parameter)| (format!("{GRADIENT}{name}"), parameter.grad()));
    gradients.filter(|(_, gradient)| gradient.defined()).collect()
}

fn saved(optimizer: &Optimizer) -> SavedOptimizer {
    let groups = optimizer.groups().iter().map(|group| group.algorithm().clone()).collect();
    SavedOptimizer { groups, parameters: optimizer.names_by_group(), steps: optimizer.steps() }
}
