//! The batch and the return values of a module's steps.

use crate::data::Batch;
use crate::native::forget_graph;
use tch::Tensor;

/// The type of the batches that a module or a data module works with.
pub trait Batched: Sized + 'static {
    /// One batch, as the loaders yield it.
    type Batch: Batch;
}

tch_lightning_macros::declare_hooks!(StepOutputs);

/// A return type of `training_step`: a loss, and possibly more.
///
/// Implement it for a struct of your own to hand more than the loss to `on_train_batch_end`:
///
/// ```
/// use tch_lightning::module::TrainingOutput;
/// use tch_lightning::prelude::*;
///
/// struct Outputs {
///     loss: Tensor,
///     embeddings: Tensor,
/// }
///
/// impl TrainingOutput for Outputs {
///     fn loss(&self) -> Option<&Tensor> {
///         Some(&self.loss)
///     }
///
///     fn detach(&mut self) {
///         self.loss = self.loss.detach();
///         self.embeddings = self.embeddings.detach();
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`training_step` cannot return `{Self}` [TL0202]",
    label = "a training step returns its loss: `Tensor`, `Option<Tensor>`, or a type of yours that implements `TrainingOutput`",
    note = "any of them may be in a `Result`, under that name: in place of an alias, write `Result<…>`, or call the alias `Result`"
)]
pub trait TrainingOutput: 'static {
    /// Whether [`loss`](Self::loss) may be `None`. If it may, several processes agree before each backward pass on whether there is one.
    const MAY_LACK_LOSS: bool = true;

    /// Whether [`loss`](Self::loss) is a sum over [`count`](Self::count) terms, as that of [`Weighted`](super::Weighted).
    const IS_WEIGHTED: bool = false;

    /// The loss, a scalar with its graph; `None` skips the backward pass of this batch.
    fn loss(&self) -> Option<&Tensor>;

    /// The number of terms whose sum the loss is, if [`IS_WEIGHTED`](Self::IS_WEIGHTED); 0 without a loss.
    fn count(&self) -> usize {
        1
    }

    /// Drops the autograd graph. Called once after the optimizer step and before `on_train_batch_end`, so that a callback that
    /// keeps an output does not keep the memory of the step. By default only the loss is detached, as in Lightning: a type with
    /// other tensors that have a graph must detach them too.
    fn detach(&mut self) {
        if let Some(loss) = self.loss() {
            // a tensor that is not there has no graph
            let _ = forget_graph(loss);
        }
    }
}

#[diagnostic::do_not_recommend]
impl TrainingOutput for Tensor {
    const MAY_LACK_LOSS: bool = false;

    fn loss(&self) -> Option<&Tensor> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl TrainingOutput for Option<Tensor> {
    fn loss(&self) -> Option<&Tensor> {
        self.as_ref()
    }
}

#[diagnostic::do_not_recommend]
impl TrainingOutput for () {
    fn loss(&self) -> Option<&Tensor> {
        None
    }
}

/// The return value of `on_train_batch_start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// The batch is trained on.
    #[default]
    Continue,
    /// Skip the batch and the rest of the epoch (`-1` in Lightning).
    SkipEpoch,
}
