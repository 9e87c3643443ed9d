//! Saving and loading what an optimizer keeps of its parameters.

use std::collections::HashMap;

use tch::{Device, Kind, Tensor};

use super::algorithm::{Slot, SlotShape};
use super::{Optimizer, OptimizerError};
use crate::mismatch::{Mismatch, Misshaped};

/// The shape that stands for "this parameter has had no gradient yet, hence has no state".
const NOT_STARTED: [i64; 1] = [0];

impl Optimizer {
    /// All state, as tensors under the names `{parameter}.{slot}`, such as `fc1.weight.exp_avg`.
    ///
    /// | algorithm | slots |
    /// |---|---|
    /// | SGD | `momentum_buffer` if there is a momentum |
    /// | Adam, AdamW | `step` (0-dim f32), `exp_avg`, `exp_avg_sq`, and with `amsgrad` `max_exp_avg_sq` |
    ///
    /// Slots other than `step` have their parameter's shape and dtype. A parameter that has had no gradient yet has empty
    /// tensors, of shape `[0]`.
    ///
    /// The tensors are handles of the live state, which the next step changes; copy those that are to outlast it.
    /// The learning rate and the count of steps are not among them: see [`algorithm`](Self::algorithm) and
    /// [`steps`](Self::steps).
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, OptimizerError> {
        let mut state = Vec::new();
        for (member, (parameter, _)) in self.parameters.iter().enumerate() {
            for (index, slot) in self.algorithm.rule().slots().iter().enumerate() {
                let saved = self.group.saved(index, member).map_err(|error| self.refused("give its state", error))?;
                let tensor = saved.unwrap_or_else(|| Tensor::zeros(NOT_STARTED, (Kind::Float, Device::Cpu)));
                state.push((entry_name(parameter, slot), tensor));
            }
        }
        Ok(state)
    }

    /// Takes over a state that [`state`](Self::state) gave for the same algorithm and parameters, in any order, from any
    /// device. The tensors are copied, to the parameters' devices and dtypes. Steps then go on bit for bit as they would have.
    ///
    /// # Errors
    /// [`OptimizerError::State`] with every name that is missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_state(&mut self, state: impl IntoIterator<Item = (String, Tensor)>) -> Result<(), OptimizerError> {
        let slots = self.algorithm.rule().slots();
        let tensors = self.arrange(state.into_iter().collect(), slots)?;
        let elementwise: Vec<bool> = slots.iter().map(|slot| slot.shape == SlotShape::Elementwise).collect();
        self.group.load(&tensors, &elementwise).map_err(|error| self.refused("load the saved state", error))
    }

    /// Brings a saved state into the group's order, slot by slot, after checking it.
    fn arrange(
        &self,
        mut state: HashMap<String, Tensor>,
        slots: &[Slot],
    ) -> Result<Vec<Option<Tensor>>, OptimizerError> {
        let mut mismatch = Mismatch::default();
        let mut arranged = Vec::new();
        arranged.resize_with(slots.len() * self.parameters.len(), || None);
        for (member, (parameter, tensor)) in self.parameters.iter().enumerate() {
            let mut entries = Vec::new();
            for (index, slot) in slots.iter().enumerate() {
                let name = entry_name(parameter, slot);
                match state.remove(&name) {
                    Some(entry) => entries.push((index, name, entry)),
                    None => mismatch.missing.push(name),
                }
            }
            if entries.iter().all(|(.., entry)| entry.size() == NOT_STARTED) {
                continue;
            }
            for (index, name, entry) in entries {
                mismatch.misshaped.extend(shape_problem(name, &entry, &slots[index], tensor));
                arranged[index * self.parameters.len() + member] = Some(entry);
            }
        }
        mismatch.unexpected = state.into_keys().collect();
        mismatch.unexpected.sort();
        if mismatch.is_empty() {
            return Ok(arranged);
        }
        Err(OptimizerError::State { optimizer: self.algorithm.name(), mismatch })
    }
}

fn shape_problem(name: String, entry: &Tensor, slot: &Slot, parameter: &Tensor) -> Option<Misshaped> {
    let found = entry.size();
    let expected = match slot.shape {
        SlotShape::Scalar => Vec::new(),
        SlotShape::Elementwise => parameter.size(),
    };
    (found != expected).then_some(Misshaped { name, found, expected })
}

fn entry_name(parameter: &str, slot: &Slot) -> String {
    format!("{parameter}.{}", slot.name)
}
