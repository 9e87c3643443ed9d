//! The parts of the processes of a run in its checkpoint.
//!
//! The file of a run with one process has none. That of several has everything of rank 0 under the names that a single process would use;
//! `processes` in its metadata has what the other ranks have otherwise. Tensors that each rank has for itself, which are random states, the
//! log of the running epoch and the gradients of an open accumulation window, are `rank.{rank}.{name}` for the ranks from 1 on.

use super::{Checkpoint, CheckpointError, Metadata};
use crate::json;
use crate::named_tensors::{NamedTensors, under};
use crate::progress::{GRADIENT, LOG, RANDOM};
use crate::strategy::Rank;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;
use tch::{TchError, Tensor, no_grad};

/// The processes of the run that wrote a checkpoint, and what a run that resumes from it can rely on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Processes {
    /// The number of processes.
    pub world_size: usize,
    /// The guarantee for a run with the same number of processes.
    pub with_same_number: ResumeGuarantee,
    /// The guarantee for a run with another number of processes.
    pub with_other_number: ResumeGuarantee,
    /// The names of the parameters in the order in which gradients were averaged, if it was not that of a new run: how sums over more than
    /// two processes are rounded depends on it.
    #[serde(default)]
    pub(crate) gradient_order: Vec<String>,
    /// The values of the metadata that the ranks from 1 on have otherwise than rank 0. Empty if a process had failed.
    #[serde(default)]
    ranks: Vec<Map<String, Value>>,
}

/// What a run that resumes from a checkpoint can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResumeGuarantee {
    /// Training continues as it would have without the interruption, bit for bit.
    Exact,
    /// Each sample of the running epoch is trained on once. Random numbers are others than those of an uninterrupted run.
    EachSampleOnce,
    /// Training cannot continue within the epoch, as the data cannot be divided in another way: that of a stream, a batch sampler, several
    /// loaders as one, or the user's own part of each process.
    NotWithinEpoch,
}

/// What one rank has in a checkpoint.
pub(crate) struct PartOfRank {
    /// The metadata of the rank.
    pub(crate) metadata: Value,
    pub(crate) tensors: Vec<(String, Tensor)>,
}

/// The key of the metadata that all ranks have in common.
const PROCESSES: &str = "processes";

/// Whether a rank has a tensor of this name for itself.
pub(crate) fn is_of_rank(name: &str) -> bool {
    [LOG, RANDOM, GRADIENT].iter().any(|prefix| name.starts_with(prefix))
}

fn prefix(rank: usize) -> String {
    format!("rank.{rank}.")
}

impl Checkpoint {
    /// Adds the parts of all ranks to the checkpoint of rank 0, whose own part is the first. There are none if a process has failed.
    /// `is_divisible` tells whether training can continue with another number of processes.
    pub(crate) fn add_processes(&mut self, world_size: usize, parts: Vec<PartOfRank>, is_divisible: bool) {
        let with_other_number =
            if is_divisible { ResumeGuarantee::EachSampleOnce } else { ResumeGuarantee::NotWithinEpoch };
        let with_same_number = if parts.is_empty() { with_other_number } else { ResumeGuarantee::Exact };
        let mut ranks = Vec::new();
        let mut parts = parts.into_iter();
        let first = parts.next().map(|part| part.metadata).unwrap_or_default();
        for (rank, PartOfRank { metadata, tensors }) in (1..).zip(parts) {
            let own = if let Value::Object(own) = metadata { own } else { Map::new() };
            ranks.push(
                own.into_iter().filter(|(key, value)| key != PROCESSES && first.get(key) != Some(value)).collect(),
            );
            self.tensors.extend(tensors.into_iter().map(|(name, tensor)| (format!("{}{name}", prefix(rank)), tensor)));
        }
        let gradient_order = Vec::new();
        let processes = Processes { world_size, with_same_number, with_other_number, gradient_order, ranks };
        self.metadata.processes = Some(processes);
    }

    /// Returns the checkpoint as `rank` resumes from it: with its own part, or with that of rank 0 if it has none.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] if the part is not one.
    pub(crate) fn of_rank(mut self, rank: Rank, path: &Path) -> Result<Self, CheckpointError> {
        let is_as_before = self.world_size() == rank.world_size;
        let Some(processes) = &mut self.metadata.processes else {
            if !is_as_before && !rank.is_global_zero() {
                self.forget_logged();
            }
            return Ok(self);
        };
        let parts = std::mem::take(&mut processes.ranks);
        let mut tensors = self.take_parts(parts.len());
        if !is_as_before {
            self.average_gradients(&tensors)?;
        }
        let Some(index) = rank.global.checked_sub(1) else { return Ok(self) };
        let loader = self.metadata.run.train_loader.take();
        let Some(part) = parts.into_iter().nth(index) else {
            self.forget_logged();
            return Ok(self);
        };
        self.metadata = self.metadata.with(part).map_err(|reason| CheckpointError::damaged(path, reason))?;
        self.tensors.retain(|name, _| !is_of_rank(name) || (name.starts_with(GRADIENT) && !is_as_before));
        let own = tensors.swap_remove(index).into_iter();
        self.tensors.extend(own.filter(|(name, _)| is_as_before || !name.starts_with(GRADIENT)));
        if !is_as_before {
            // the batches that were trained on are known by those of rank 0
            self.metadata.run.train_loader = loader;
        }
        Ok(self)
    }

    /// The number of processes of the run that wrote the checkpoint.
    pub(crate) fn world_size(&self) -> usize {
        self.metadata.processes.as_ref().map_or(1, |processes| processes.world_size)
    }

    /// Removes and returns the tensors of the ranks from 1 on.
    fn take_parts(&mut self, parts: usize) -> Vec<NamedTensors> {
        let mut taken = Vec::new();
        for rank in 1..=parts {
            let prefix = prefix(rank);
            let own = under(&self.tensors, &prefix).map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
            taken.push(own.collect());
            self.tensors.retain(|name, _| !name.starts_with(&prefix));
        }
        taken
    }

    /// Replaces the gradients of an open accumulation window by their averages over all ranks, which the others divide by their number.
    fn average_gradients(&mut self, others: &[NamedTensors]) -> Result<(), TchError> {
        if others.is_empty() {
            return Ok(());
        }
        let mut sums = NamedTensors::new();
        let own = self.tensors.iter().filter(|(name, _)| name.starts_with(GRADIENT));
        for (name, gradient) in others.iter().flatten().filter(|(name, _)| name.starts_with(GRADIENT)).chain(own) {
            let sum = match sums.get(name) {
                Some(sum) => no_grad(|| sum.f_add(gradient))?,
                None => gradient.shallow_clone(),
            };
            sums.insert(name.clone(), sum);
        }
        for (name, sum) in sums {
            self.tensors.insert(name, no_grad(|| sum.f_div_scalar((others.len() + 1) as f64))?);
        }
        Ok(())
    }

    /// Removes what was logged of the running epoch, which another rank has.
    fn forget_logged(&mut self) {
        self.metadata.run.forget_logged();
        self.tensors.retain(|name, _| !name.starts_with(LOG));
    }
}

impl Metadata {
    /// Returns it as JSON, as a file has it.
    pub(crate) fn to_json(&self) -> serde_json::Result<Value> {
        json::to_value(self)
    }

    /// Returns it with the values of a rank, or the reason why they are none.
    fn with(self, values: Map<String, Value>) -> Result<Self, String> {
        let of_rank = |error: serde_json::Error| format!("its metadata of a rank: {error}");
        let processes = self.processes.clone();
        let mut all = self.to_json().map_err(of_rank)?;
        for (key, value) in values {
            all[key] = value;
        }
        let metadata = Self { processes, ..json::from_value(&all).map_err(of_rank)? };
        match metadata.impossible_counter() {
            Some(counter) => Err(counter),
            None => Ok(metadata),
        }
    }
}
