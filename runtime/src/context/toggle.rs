//! Disabling the gradients of all parameters except those of one optimizer, as the training of a GAN requires.

use super::RunContext;
use crate::native::TensorIdentity;
use crate::optim::OptimizerIndex;
use std::collections::HashSet;
use tch::Tensor;

/// The toggled optimizer, with the parameters whose gradients are disabled. They are enabled again when this is dropped, so
/// that they have gradients after the run.
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
    /// Disables the gradients of all parameters that this optimizer does not have, so that a backward pass does not compute
    /// gradients for the other optimizers. [`untoggle_optimizer`](Self::untoggle_optimizer) enables them
    /// again. Lightning's
    /// [`toggle_optimizer`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#toggle-optimizer).
    ///
    /// # Panics
    /// If the index is out of range.
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

    /// The toggled optimizer.
    pub(crate) fn toggled_optimizer(&self) -> Option<usize> {
        self.optimization.toggled.optimizer
    }

    /// Whether the gradients of a parameter are disabled for the toggled optimizer.
    pub(crate) fn is_toggled_off(&self, parameter: &Tensor) -> bool {
        let parameter = TensorIdentity::of(parameter);
        self.optimization.toggled.others.iter().any(|other| TensorIdentity::of(other) == parameter)
    }

    /// Enables the gradients that [`toggle_optimizer`](Self::toggle_optimizer) disabled.
    pub fn untoggle_optimizer(&mut self) {
        self.optimization.toggled = Toggled::default();
    }
}
