//! `module.freeze()` and `module.unfreeze()`.

use super::LightningModule;

/// Turns the gradients of all of a module's parameters off and on. Lightning's
/// [`freeze`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#freeze) and
/// [`unfreeze`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#unfreeze).
///
/// Lightning also sets evaluation mode in `freeze`, and training mode in `unfreeze`. Here the mode belongs to the run, and not to a
/// module: [`is_training`](crate::is_training) is false outside of a run, and true in each `training_step`, for frozen modules too.
pub trait Freeze: LightningModule {
    /// Sets `requires_grad` of all parameters to false: a forward pass records no gradients, and optimizers that are configured from
    /// now on skip them.
    fn freeze(&mut self) {
        self.parameters().freeze();
    }

    /// Sets `requires_grad` of all parameters to true, except of those that were made without gradients.
    fn unfreeze(&mut self) {
        self.parameters().unfreeze();
    }
}

impl<M: LightningModule> Freeze for M {}
