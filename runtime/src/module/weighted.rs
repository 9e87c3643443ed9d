use super::TrainingOutput;
use crate::log::LogValue;
use tch::Tensor;

/// A return type of `training_step`: the sum of the losses of some terms, such as samples or tokens, with their number.
///
/// The gradient of an optimizer step is that of the sum of all terms divided by their number, over all batches of its accumulation window
/// and all processes. It therefore equals that of one large batch, also where the last batch or window is smaller, or batches have different
/// numbers of tokens. The mean of means, which a `Tensor` gives, does not.
///
/// ```
/// use tch_lightning::prelude::*;
///
/// # struct Model { vs: nn::VarStore, net: nn::Linear }
/// #[lightning_module]
/// impl Model {
///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Weighted {
///         let (inputs, labels) = batch;
///         let outputs = self.net.forward(inputs);
///         let loss = Weighted { loss_sum: outputs.mse_loss(labels, tch::Reduction::Sum), count: labels.numel() };
///         // the mean, weighted with the count
///         ctx.log("train_loss", &loss).on_epoch(true);
///         loss
///     }
///     // …
/// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// #   fn configure_optimizers(&self) -> AdamW { AdamW::new(1e-3) }
/// }
/// ```
///
/// `Option<Weighted>` is a batch that may have no loss. In manual optimization the loss is not divided.
#[derive(Debug)]
#[must_use]
pub struct Weighted {
    /// The sum of the losses, a scalar with its graph.
    pub loss_sum: Tensor,
    /// The number of the terms. It is a number on the host, so that a step does not wait for the device.
    pub count: usize,
}

impl Weighted {
    /// Returns the mean loss, a scalar with its graph; the sum itself, usually 0, without terms.
    pub fn mean(&self) -> Tensor {
        &self.loss_sum / self.count.max(1) as f64
    }
}

#[diagnostic::do_not_recommend]
impl TrainingOutput for Weighted {
    const MAY_LACK_LOSS: bool = false;
    const IS_WEIGHTED: bool = true;

    fn loss(&self) -> Option<&Tensor> {
        Some(&self.loss_sum)
    }

    fn count(&self) -> usize {
        self.count
    }
}

#[diagnostic::do_not_recommend]
impl TrainingOutput for Option<Weighted> {
    const IS_WEIGHTED: bool = true;

    fn loss(&self) -> Option<&Tensor> {
        self.as_ref().map(|weighted| &weighted.loss_sum)
    }

    fn count(&self) -> usize {
        self.as_ref().map_or(0, |weighted| weighted.count)
    }
}

impl From<&Weighted> for LogValue {
    /// The mean loss, whose weight in the mean of an epoch is the count.
    fn from(weighted: &Weighted) -> Self {
        Self::Mean { sum: weighted.loss_sum.shallow_clone(), count: weighted.count }
    }
}
