//! Saving and loading of an optimizer's state.

use std::collections::HashMap;

use tch::{Device, Kind, Tensor};

use super::lbfgs::{self, LbfgsState};
use super::{Optimizer, OptimizerError};
use crate::mismatch::Mismatch;

/// The shape that represents the state of a parameter that has had no gradient yet.
const NOT_STARTED: [i64; 1] = [0];

/// Returns the state of a parameter that has had no gradient yet.
pub(crate) fn not_started() -> Tensor {
    Tensor::zeros(NOT_STARTED, (Kind::Float, Device::Cpu))
}

/// Returns the name of a tensor of the state.
pub(crate) fn entry_name(parameter: &str, slot: &str) -> String {
    format!("{parameter}.{slot}")
}

impl Optimizer {
    /// Returns the state as named tensors, with names of the form `{parameter}.{slot}`, such as `fc1.weight.exp_avg`.
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
    /// | Adafactor | `step`, `row_var` and `col_var` of a parameter with two dimensions or more, `variance` of others |
    /// | Lion | `exp_avg` |
    /// | Muon | `momentum_buffer` |
    ///
    /// `step` and `mu_product` are 0-dim f32; the others have their parameter's dtype and shape, except that the last dimension of
    /// `row_var` and the one before it of `col_var` are 1. A parameter that has had no
    /// gradient yet has empty tensors, of shape `[0]`.
    ///
    /// L-BFGS has one state for all parameters, under the name of the first. `elements` is the number of elements of all
    /// parameters (two for a complex number), and `pairs` is at most `history_size`:
    ///
    /// | slot | contents |
    /// |---|---|
    /// | `func_evals`, `n_iter` | evaluations and iterations so far, 0-dim i64 |
    /// | `d`, `prev_flat_grad` | the last direction, and the gradient at its start, `[elements]` |
    /// | `t`, `H_diag`, `prev_loss` | the length of the direction, the scale of the curvature, the loss, 0-dim f64 |
    /// | `old_dirs`, `old_stps`, `ro` | the last curvature pairs: `[pairs, elements]` twice, and `[pairs]` f64 |
    ///
    /// The tensors share memory with the optimizer, and change with the next step; copy them to keep them. The
    /// hyperparameters and the number of steps are not included: see [`groups`](Self::groups) and [`steps`](Self::steps).
    ///
    /// # Errors
    /// [`OptimizerError::WithinStep`] between the evaluations of one step of L-BFGS; [`OptimizerError::Libtorch`] if an
    /// operation of libtorch fails.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, OptimizerError> {
        let action = "return its state";
        if let Some(lbfgs) = &self.lbfgs {
            let state = lbfgs.state().map_err(|error| self.refused(action, error))?;
            let state = state.ok_or(OptimizerError::WithinStep { optimizer: self.name() })?;
            return Ok(state.named(&self.groups[0].parameters()[0].0));
        }
        let mut state = Vec::new();
        for group in &self.groups {
            group.save(&mut state).map_err(|error| self.refused(action, error))?;
        }
        Ok(state)
    }

    /// Loads a state that [`state`](Self::state) returned for the same algorithm and parameters, in any order and from any
    /// groups and device. The tensors are copied to the parameters' devices and dtypes. Further steps are bit-for-bit the same
    /// as without saving and loading.
    ///
    /// # Errors
    /// [`OptimizerError::State`] with every name that is missing, unexpected or of another shape; then nothing is loaded.
    pub fn load_state(&mut self, state: impl IntoIterator<Item = (String, Tensor)>) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        let action = "load the saved state";
        let mut saved = Saved { tensors: state.into_iter().collect(), mismatch: Mismatch::default() };
        if let Some(lbfgs) = &mut self.lbfgs {
            let parameters = self.groups[0].parameters();
            let state = lbfgs::SavedState::take(&mut saved, parameters);
            saved.check(optimizer)?;
            *lbfgs = LbfgsState::resume(&state, parameters)
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

/// A saved state from which tensors are taken one by one, and a record of what does not fit.
pub(super) struct Saved {
    tensors: HashMap<String, Tensor>,
    mismatch: Mismatch,
}

impl Saved {
    /// Takes a tensor, whose shape and dtype must be those that `expected` returns for its shape; `None` if the parameter has
    /// had no gradient.
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

    /// Returns an error if a tensor was missing, had another shape, or was not taken.
    fn check(mut self, optimizer: &'static str) -> Result<(), OptimizerError> {
        self.mismatch.unexpected = self.tensors.into_keys().collect();
        self.mismatch.unexpected.sort();
        if self.mismatch.is_empty() {
            return Ok(());
        }
        Err(OptimizerError::State { optimizer, mismatch: self.mismatch })
    }
}
