//! The state that a metric has accumulated over batches.

use std::collections::HashMap;

use tch::{Device, TchError, Tensor, no_grad};

use super::DistReduceFx;
use super::error::Refusal;
use super::inputs::require;
use super::slot::Slot;
use crate::mismatch::{Mismatch, Misshaped};

/// The joined states of all batches.
pub(super) struct Accumulated {
    /// The slots of the metric, and last the number of batches.
    slots: Vec<Slot>,
    /// For each slot, nothing before the first batch, then one tensor, or several that are concatenated later.
    parts: Vec<Vec<Tensor>>,
    /// The state of the last batch, if there was one since the metric was created or loaded.
    last: Option<Vec<Tensor>>,
    updates: i64,
    /// The device of the batches; unknown before the first batch, and after a load until the next.
    device: Option<Device>,
}

/// The name of the number of batches in a saved state.
const UPDATES: &str = "updates";

impl Accumulated {
    pub(super) fn new(mut slots: Vec<Slot>) -> Self {
        let parts = slots.iter().map(|_| Vec::new()).collect();
        slots.push(Slot::count(UPDATES, []));
        Self { slots, parts, last: None, updates: 0, device: None }
    }

    pub(super) fn updates(&self) -> i64 {
        self.updates
    }

    pub(super) fn last(&self) -> Option<&[Tensor]> {
        self.last.as_deref()
    }

    pub(super) fn reset(&mut self) {
        self.parts.iter_mut().for_each(Vec::clear);
        self.last = None;
        self.updates = 0;
        self.device = None;
    }

    /// Adds a batch; after an error nothing was added. Tensors are replaced and never changed, as snapshots may share them.
    pub(super) fn add(&mut self, batch: Vec<Tensor>) -> Result<(), Refusal> {
        if let Some(added) = batch.first() {
            self.move_to(added.device())?;
        }
        let mut joined = Vec::with_capacity(batch.len());
        for ((slot, parts), added) in self.slots.iter().zip(&self.parts).zip(&batch) {
            joined.push(match (slot.dist_reduce_fx, parts.first()) {
                (DistReduceFx::Cat, _) | (_, None) => added.shallow_clone(),
                (dist_reduce_fx, Some(before)) => dist_reduce_fx.join(before, added)?,
            });
        }
        for ((slot, parts), joined) in self.slots.iter().zip(&mut self.parts).zip(joined) {
            if slot.dist_reduce_fx != DistReduceFx::Cat {
                parts.clear();
            }
            parts.push(joined);
        }
        self.last = Some(batch);
        self.updates += 1;
        Ok(())
    }

    /// Moves a loaded state to the device of the first batch after it, and rejects a batch from another device.
    fn move_to(&mut self, device: Device) -> Result<(), Refusal> {
        if let Some(before) = self.device {
            return require(before == device, || {
                format!(
                    "it is on {device:?}, but earlier batches were on {before:?}; move it there, or reset the metric"
                )
            });
        }
        for (slot, parts) in self.slots.iter().zip(&mut self.parts) {
            for part in parts {
                *part = part.f_to_kind(slot.kind(device))?.f_to_device(device)?;
            }
        }
        self.device = Some(device);
        Ok(())
    }

    /// Returns one tensor per slot. Parts are concatenated once.
    pub(super) fn joined(&mut self) -> Result<Vec<Tensor>, TchError> {
        let slots = self.slots.iter().zip(&mut self.parts);
        let tensors = slots.map(|(slot, parts)| {
            if parts.len() > 1 {
                *parts = vec![Tensor::f_cat(parts, 0)?];
            }
            parts.first().map_or_else(|| slot.neutral(Device::Cpu), |tensor| Ok(tensor.shallow_clone()))
        });
        tensors.collect()
    }

    /// Returns copies of all tensors with their names.
    pub(super) fn state(&mut self) -> Result<Vec<(String, Tensor)>, TchError> {
        let updates = Tensor::from(self.updates).f_to_device(self.device.unwrap_or(Device::Cpu))?;
        let tensors: Result<Vec<Tensor>, TchError> = self.joined()?.iter().map(copied).collect();
        let tensors = tensors?.into_iter().chain([updates]);
        Ok(self.slots.iter().map(|slot| slot.name.to_owned()).zip(tensors).collect())
    }

    pub(super) fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)> {
        self.slots.iter().map(|slot| (slot.name.to_owned(), slot.dist_reduce_fx)).collect()
    }

    /// Checks the names and shapes of a saved state, and returns its tensors in the order of the slots.
    pub(super) fn arrange(&self, state: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Mismatch> {
        let mut state: HashMap<String, Tensor> = state.into_iter().collect();
        let mut mismatch = Mismatch::default();
        let mut arranged = Vec::new();
        for slot in &self.slots {
            let Some(tensor) = state.remove(slot.name) else {
                mismatch.missing.push(slot.name.to_owned());
                continue;
            };
            let (found, expected) = (tensor.size(), slot.shape_like(&tensor.size()));
            if found != expected {
                mismatch.misshaped.push(Misshaped { name: slot.name.to_owned(), found, expected });
            }
            arranged.push(tensor);
        }
        mismatch.unexpected.extend(state.into_keys());
        mismatch.unexpected.sort();
        if mismatch.is_empty() { Ok(arranged) } else { Err(mismatch) }
    }

    /// Replaces the state by a copy of an arranged one. Afterwards the value of the last batch is not available.
    pub(super) fn load(&mut self, arranged: Vec<Tensor>) -> Result<(), TchError> {
        self.replace(arranged)?;
        self.last = None;
        Ok(())
    }

    /// Replaces the state by a copy of an arranged one, but keeps the last batch.
    pub(super) fn replace(&mut self, mut arranged: Vec<Tensor>) -> Result<(), TchError> {
        let updates = arranged.pop().map_or(Ok(0), |updates| updates.f_int64_value(&[]))?;
        let kept = |tensor: &Tensor| if updates > 0 { Ok(vec![copied(tensor)?]) } else { Ok(Vec::new()) };
        self.parts = arranged.iter().map(kept).collect::<Result<_, TchError>>()?;
        self.updates = updates;
        self.device = None;
        Ok(())
    }
}

/// Returns a copy of a tensor without its graph.
pub(super) fn copied(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| tensor.f_to_dtype(tensor.kind(), false, true))
}
