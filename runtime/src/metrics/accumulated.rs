//! What a metric has accumulated over batches.

use std::collections::HashMap;

use tch::{Device, TchError, Tensor, no_grad};

use super::DistReduceFx;
use super::error::Refusal;
use super::inputs::require;
use super::slot::Slot;
use crate::mismatch::{Mismatch, Misshaped};

/// The joined states of batches.
pub(super) struct Accumulated {
    /// The metric's own, and last the count of batches, which has no parts.
    slots: Vec<Slot>,
    /// Of each slot nothing before the first batch, then one tensor, or those that are yet to be concatenated.
    parts: Vec<Vec<Tensor>>,
    /// The state of the last batch, if there was one since the beginning or a load.
    last: Option<Vec<Tensor>>,
    updates: i64,
    /// Where the batches are; unknown before the first, and after a load until the next.
    device: Option<Device>,
}

/// The name of the count of batches in a saved state.
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

    /// Adds a batch, all of it or nothing. Tensors are replaced and never changed, as snapshots may share them.
    pub(super) fn add(&mut self, batch: Vec<Tensor>) -> Result<(), Refusal> {
        if let Some(added) = batch.first() {
            self.come_to(added.device())?;
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

    /// Takes a loaded state to the device of the first batch after it, and refuses a batch from elsewhere.
    fn come_to(&mut self, device: Device) -> Result<(), Refusal> {
        if let Some(before) = self.device {
            return require(before == device, || {
                format!("it is on {device:?}, and those before were on {before:?}: bring it there, or reset the metric")
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

    /// A tensor for each slot. Parts are concatenated once.
    pub(super) fn whole(&mut self) -> Result<Vec<Tensor>, TchError> {
        let slots = self.slots.iter().zip(&mut self.parts);
        let wholes = slots.map(|(slot, parts)| {
            if parts.len() > 1 {
                *parts = vec![Tensor::f_cat(parts, 0)?];
            }
            parts.first().map_or_else(|| slot.neutral(Device::Cpu), |whole| Ok(whole.shallow_clone()))
        });
        wholes.collect()
    }

    /// Copies of all tensors, under their names.
    pub(super) fn state(&mut self) -> Result<Vec<(String, Tensor)>, TchError> {
        let updates = Tensor::from(self.updates).f_to_device(self.device.unwrap_or(Device::Cpu))?;
        let tensors: Result<Vec<Tensor>, TchError> = self.whole()?.iter().map(copied).collect();
        let tensors = tensors?.into_iter().chain([updates]);
        Ok(self.slots.iter().map(|slot| slot.name.to_owned()).zip(tensors).collect())
    }

    pub(super) fn dist_reduce_fx(&self) -> Vec<(String, DistReduceFx)> {
        self.slots.iter().map(|slot| (slot.name.to_owned(), slot.dist_reduce_fx)).collect()
    }

    /// Brings a saved state into the slots' order, the count of batches last, after checking names and shapes.
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

    /// Replaces all by copies of an arranged state: there is no last batch then.
    pub(super) fn load(&mut self, arranged: Vec<Tensor>) -> Result<(), TchError> {
        self.replace(arranged)?;
        self.last = None;
        Ok(())
    }

    /// Replaces what was accumulated by copies of an arranged state. The last batch stays the last.
    pub(super) fn replace(&mut self, mut arranged: Vec<Tensor>) -> Result<(), TchError> {
        let updates = arranged.pop().map_or(Ok(0), |updates| updates.f_int64_value(&[]))?;
        let kept = |tensor: &Tensor| if updates > 0 { Ok(vec![copied(tensor)?]) } else { Ok(Vec::new()) };
        self.parts = arranged.iter().map(kept).collect::<Result<_, TchError>>()?;
        self.updates = updates;
        self.device = None;
        Ok(())
    }
}

/// A tensor in memory of its own, without a graph.
pub(super) fn copied(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| tensor.f_to_dtype(tensor.kind(), false, true))
}
