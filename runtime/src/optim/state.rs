//! Saving and loading what an optimizer keeps of its parameters.

use std::collections::HashMap;

use tch::{Device, Kind, Tensor};

use super::lbfgs::{self, Machine};
use super::{Optimizer, OptimizerError};
use crate::mismatch::Mismatch;

/// The shape that stands for "this parameter has had no gradient yet, hence has no state".
const NOT_STARTED: [i64; 1] = [0];

pub(super) fn not_started() -> Tensor {
    Tensor::zeros(NOT_STARTED, (Kind::Float, Device::Cpu))
}

pub(super) fn entry_name(parameter: &str, slot: &str) -> String {
    format!("{parameter}.{slot}")
}

impl Optimizer {
    /// All state, as tensors under the names `{parameter}.{slot}`, such as `fc1.weight.exp_avg`.
    ///
    /// | algorithm | slots |
    /// |---|---|
    /// | SGD | `momentum_buffer` if there is a momentum |
    /// | Adam, AdamW | `step`, `exp_avg`, `exp_avg_sq`, and with `amsgrad` `max_exp_avg_sq` |
    /// | Adamax | `step`, `exp_avg`, `exp_inf` |
    /// | NAdam | `step`, `mu_product`, `exp_avg`, `exp_avg_sq` |
    /// | RAdam | `step`, `exp_avg`, `exp_avg_sq` |
    /// | RMSprop | `step`, `square_avg`, with a momentum `momentum_buffer`, and if `centered` `grad_avg` |
    /// | Adagrad | `step`, `sum` |
    /// | Adadelta | `step`, `square_avg`, `acc_delta` |
    ///
    /// `step` and `mu_product` are 0-dim f32; the others have their parameter's shape and dtype. A parameter that has had no
    /// gradient yet has empty tensors, of shape `[0]`.
    ///
    /// L-BFGS has one state for all parameters, which it keeps under the first one's name. With all parameters' elements
    /// as one vector (a complex one's parts in turn), and `moves` up to `history_size`:
    ///
    /// | slot | what it is |
    /// |---|---|
    /// | `func_evals`, `n_iter` | evaluations and iterations so far, 0-dim i64 |
    /// | `d`, `prev_flat_grad` | the last direction and the gradient where it began, `[elements]` |
    /// | `t`, `H_diag`, `prev_loss` | the direction's length, the curvature's scale, the loss, 0-dim f64 |
    /// | `old_dirs`, `old_stps`, `ro` | the last moves: `[moves, elements]` twice, and `[moves]` f64 |
    ///
    /// The tensors are handles of the live state, which the next step changes; copy those that are to outlast it.
    /// The hyperparameters and the count of steps are not among them: see [`groups`](Self::groups) and
    /// [`steps`](Self::steps).
    ///
    /// # Errors
    /// [`OptimizerError::WithinStep`] between the evaluations of one step of L-BFGS; when libtorch refuses.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, OptimizerError> {
        let action = "give its state";
        if let Some(machine) = &self.lbfgs {
            let state = machine.state().map_err(|error| self.refused(action, error))?;
            let state = state.ok_or(OptimizerError::WithinStep { optimizer: self.name() })?;
            return Ok(state.named(&self.groups[0].parameters()[0].0));
        }
        let mut state = Vec::new();
        for group in &self.groups {
            group.save(&mut state).map_err(|error| self.refused(action, error))?;
        }
        Ok(state)
    }

    /// Takes over a state that [`state`](Self::state) gave for the same algorithm and parameters, in any order and from
    /// any groups and device. The tensors are copied, to the parameters' devices and dtypes. Steps then go on bit for bit
    /// as they would have.
    ///
    /// # Errors
    /// [`OptimizerError::State`] with every name that is missing, unexpected or of another shape; nothing is loaded then.
    pub fn load_state(&mut self, state: impl IntoIterator<Item = (String, Tensor)>) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        let action = "load the saved state";
        let mut saved = Saved { tensors: state.into_iter().collect(), mismatch: Mismatch::default() };
        if let Some(machine) = &mut self.lbfgs {
            let parameters = self.groups[0].parameters();
            let state = lbfgs::State::take(&mut saved, parameters);
            saved.check(optimizer)?;
            *machine = Machine::resume(&state, parameters)
                .map_err(|error| OptimizerError::libtorch(optimizer, action, error))?;
            return Ok(());
        }
        let taken: Vec<_> = self.groups.iter().map(|group| group.take(&mut saved)).collect();
        saved.check(optimizer)?;
        for (group, taken) in self.groups.iter_mut().zip(taken) {
            group.load(&taken).map_err(|error| OptimizerError::libtorch(optimizer, action, error))?;
        }
        Ok(())
    }
}

/// A saved state that is taken tensor by tensor, and what of it does not fit.
pub(super) struct Saved {
    tensors: HashMap<String, Tensor>,
    mismatch: Mismatch,
}

impl Saved {
    /// Takes a tensor of the shape and dtype that `expected` makes of its own; none where the parameter has had no gradient.
    pub(super) fn take(
        &mut self,
        parameter: &str,
        slot: &str,
        expected: impl FnOnce(&[i64]) -> (Vec<i64>, Kind),
    ) -> Option<Tensor> {
        let name = entry_name(parameter, slot);
        let Some(tensor) = self.tensors.remove(&name) else {
            self.mismatch.missing.push(name);
            return None;
        };
        let found = tensor.size();
        if found == NOT_STARTED {
            return None;
        }
        let expected = expected(&found);
        self.mismatch.compare(&name, (found, tensor.kind()), expected);
        Some(tensor)
    }

    /// Fails if something was missing or misshaped, or was not taken.
    fn check(mut self, optimizer: &'static str) -> Result<(), OptimizerError> {
        self.mismatch.unexpected = self.tensors.into_keys().collect();
        self.mismatch.unexpected.sort();
        if self.mismatch.is_empty() {
            return Ok(());
        }
        Err(OptimizerError::State { optimizer, mismatch: self.mismatch })
    }
}
