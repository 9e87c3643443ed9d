//! Training and evaluation mode: whether layers such as dropout and batch normalization act as in training.

use std::cell::Cell;

thread_local! {
    static IS_TRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether layers should act as in training, for the `train` argument of tch: `xs.dropout(0.1, is_training())`,
/// `net.forward_t(xs, is_training())`. PyTorch has it as
/// [`module.training`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train).
///
/// The trainer sets it on its own thread: true in a `fit`, and false in the sanity check, the validation within training,
/// `validate`, `test` and `predict`. It is false outside of a run, and in the worker threads of a loader, so that a module that was
/// loaded from a checkpoint predicts without dropout. In hooks, [`RunContext::is_training`](crate::RunContext::is_training) returns
/// the same value.
///
/// ```
/// use tch_lightning::prelude::*;
///
/// struct Encoder {
///     layer: nn::Linear,
/// }
///
/// impl Encoder {
///     /// `[batch, 4] f32` to `[batch, 2] f32`, with dropout in training alone.
///     fn forward(&self, xs: &Tensor) -> Tensor {
///         self.layer.forward(xs).dropout(0.5, is_training())
///     }
/// }
/// # let vs = nn::VarStore::new(Device::Cpu);
/// # let encoder = Encoder { layer: nn::linear(vs.root(), 4, 2, nn::LinearConfig::default()) };
/// # let xs = Tensor::ones([3, 4], (Kind::Float, Device::Cpu));
/// assert_eq!(encoder.forward(&xs), encoder.forward(&xs));
/// ```
pub fn is_training() -> bool {
    IS_TRAINING.get()
}

pub(crate) fn set_training(is_training: bool) {
    IS_TRAINING.set(is_training);
}

/// The mode of a run. Dropping it restores the previous mode, as a hook may run another trainer.
pub(crate) struct TrainingMode {
    outer: bool,
}

impl TrainingMode {
    /// Enters the mode.
    pub(crate) fn enter(is_training: bool) -> Self {
        Self { outer: IS_TRAINING.replace(is_training) }
    }
}

impl Drop for TrainingMode {
    fn drop(&mut self) {
        set_training(self.outer);
    }
}
