//! The parts of all processes in a checkpoint.

use crate::checkpoint::{Checkpoint, PartOfRank, ResumeGuarantee, is_of_rank};
use crate::context::RunContext;
use crate::counted::counted;
use crate::error::Error;
use crate::messages;
use crate::module::{LightningModule, Run, trainable};
use crate::progress::GRADIENT;
use crate::strategy::{NamedTensor, Operation, StrategyError, gather, gather_tensors};
use serde_json::Value;
use tch::Tensor;

impl<M: LightningModule> Run<'_, M> {
    /// Adds the parts of the other processes to the checkpoint of rank 0. All of them call it, unless one has failed.
    pub(super) fn add_processes(&mut self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        let world_size = self.ctx.world_size();
        if world_size == 1 {
            return Ok(());
        }
        let parts = if self.ctx.is_together() { self.parts(checkpoint)? } else { Vec::new() };
        let is_divisible = self.ctx.has_divisible_order() || !self.ctx.progress().has_batches_left();
        checkpoint.add_processes(world_size, parts, is_divisible);
        if let Some(processes) = &mut checkpoint.metadata.processes {
            processes.gradient_order = self.ctx.strategy().gradient_order()?;
        }
        Ok(())
    }

    fn parts(&mut self, checkpoint: &Checkpoint) -> Result<Vec<PartOfRank>, Error> {
        let own = checkpoint.tensors.iter().filter(|(name, _)| is_of_rank(name));
        let (gradients, others): (Vec<NamedTensor>, Vec<NamedTensor>) = own
            .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
            .partition(|(name, _)| name.starts_with(GRADIENT));
        let group = self.ctx.group();
        let metadata = checkpoint.metadata.to_json().map_err(StrategyError::from)?;
        let names: Vec<String> = gradients.iter().map(|(name, _)| name.clone()).collect();
        let all: Vec<(Value, Vec<String>)> = gather(group, Operation::Checkpoint, &(metadata, names))?;
        let tensors = gather_tensors(group, Operation::Checkpoint, &others)?;
        let (metadata, names): (Vec<Value>, Vec<Vec<String>>) = all.into_iter().unzip();
        let parts = metadata.into_iter().zip(tensors);
        let mut parts: Vec<PartOfRank> = parts.map(|(metadata, tensors)| PartOfRank { metadata, tensors }).collect();
        // one at a time, as they are as large as the module
        for (name, parameter) in trainable(self.module.parameters()) {
            let name = format!("{GRADIENT}{name}");
            let has_it: Vec<bool> = names.iter().map(|names| names.contains(&name)).collect();
            if !has_it.contains(&true) {
                continue;
            }
            let gradient = match checkpoint.tensors.get(&name) {
                Some(gradient) => gradient.shallow_clone(),
                None => parameter.f_zeros_like()?,
            };
            let all: Vec<Tensor> = self.ctx.group().all_gather(Operation::Checkpoint, &gradient)?.f_unbind(0)?;
            for (part, gradient) in
                parts.iter_mut().zip(all).zip(has_it).filter_map(|(pair, has_it)| has_it.then_some(pair))
            {
                part.tensors.push((name.clone(), gradient));
            }
        }
        Ok(parts)
    }
}

/// Says what a resumed run of several processes, or one that was, can rely on.
pub(super) fn describe_resume(checkpoint: &Checkpoint, ctx: &RunContext) {
    let (before, now) = (checkpoint.world_size(), ctx.world_size());
    let processes = checkpoint.metadata.processes.as_ref();
    if before == now && processes.is_none_or(|processes| processes.with_same_number == ResumeGuarantee::Exact) {
        if now > 1 {
            messages::info!("resuming with {now} processes, as before: training continues exactly where it was");
        }
        return;
    }
    let (before, now) = (counted(before, "process"), counted(now, "process"));
    messages::info!(
        "resuming with {now} from a checkpoint of {before}: each sample of the epoch is trained on once, but random numbers are not those of \
         an uninterrupted run"
    );
}
