//! Switching off the gradients of all parameters but those of one optimizer, as the steps of a GAN need it.

use super::RunContext;
use crate::native::TensorIdentity;
use crate::optim::OptimizerIndex;
use std::collections::HashSet;
use tch::Tensor;

/// The optimizer that is toggled, with the parameters whose gradients are switched off for it. They are switched on again when
/// this is dropped, so that no run leaves them without gradients.
#[derive(Default)]
pub(super) struct Toggled {
    optimizer: Option<usize>,
    others: Vec<Tensor>,
}

impl Drop for Toggled {
    fn drop(&mut self) {
        for tensor in self.others.drain(..) {
            let _ = tensor.set_requires_grad(true);
        }
    }
}

impl RunContext {
    /// Switches off the gradients of the parameters that this optimizer does not have, so that a backward pass leaves those of
    /// the other optimizers alone, and computes less. [`untoggle_optimizer`](Self::untoggle_optimizer) switches them on
    /// again. Lightning's
    /// [`toggle_optimizer`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#toggle-optimizer).
    ///
    /// # Panics
    /// If there is no such optimizer.
    pub fn toggle_optimizer(&mut self, optimizer: impl Into<OptimizerIndex>) {
        self.untoggle_optimizer();
        let OptimizerIndex(toggled) = optimizer.into();
        let parameters =
            |optimizer: usize| self.optimization.optimizers[optimizer].borrowed_parameters().map(|(_, tensor)| tensor);
        let own: HashSet<TensorIdentity> = parameters(toggled).map(TensorIdentity::of).collect();
        let others = (0..self.optimization.optimizers.len()).filter(|other| *other != toggled).flat_map(parameters);
        let others = others.filter(|tensor| tensor.requires_grad() && !own.contains(&TensorIdentity::of(tensor)));
        let others: Vec<Tensor> = others.map(|tensor| tensor.set_requires_grad(false)).collect();
        self.optimization.toggled = Toggled { optimizer: Some(toggled), others };
    }

    /// The optimizer that is toggled.
    pub(crate) fn toggled_optimizer(&self) -> Option<usize> {
        self.optimization.toggled.optimizer
    }

    /// Whether the gradients of a parameter are switched off for the optimizer that is toggled.
    pub(crate) fn is_toggled_off(&self, parameter: &Tensor) -> bool {
        let parameter = TensorIdentity::of(parameter);
        self.optimization.toggled.others.iter().any(|other| TensorIdentity::of(other) == parameter)
    }

    /// Switches on what [`toggle_optimizer`](Self::toggle_optimizer) switched off.
    pub fn untoggle_optimizer(&mut self) {
        self.optimization.toggled = Toggled::default();
    }
}
