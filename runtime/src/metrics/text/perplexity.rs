use tch::{Kind, TchError, Tensor};

use crate::metrics::DistReduceFx;
use crate::metrics::error::Refusal;
use crate::metrics::handle::compares;
use crate::metrics::inputs::{require, require_floating, require_labels, require_same_device};
use crate::metrics::labels::{Labels, require_in_range};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The perplexity of a language model, 0-dim: torchmetrics'
/// [`Perplexity`](https://lightning.ai/docs/torchmetrics/stable/text/perplexity.html), the exponential of the tokens' mean
/// cross-entropy.
///
/// `update` takes logits `[batch, length, vocabulary]` of a floating-point dtype and the tokens `[batch, length]`, Int64.
/// Without any tokens the value is NaN.
///
/// State: `total_log_probs`, `count` and `out_of_range`.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::metrics::{Metric, Perplexity};
///
/// let perplexity = Perplexity::new().ignore_index(-100);
/// let logits = Tensor::zeros([1, 4, 50], (Kind::Float, Device::Cpu));
/// perplexity.update(&logits, &Tensor::from_slice(&[7i64, 3, 41, -100]).view([1, 4]))?;
/// // a model for which all 50 tokens are equally likely
/// assert!((perplexity.compute()?.double_value(&[]) - 50.0).abs() < 1e-4);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Perplexity(Shared<CrossEntropy>);

compares!(Perplexity);

impl Default for Perplexity {
    fn default() -> Self {
        Self::new()
    }
}

impl Perplexity {
    /// Creates a metric of all tokens.
    pub fn new() -> Self {
        Self(Shared::new(CrossEntropy { ignore_index: None }))
    }

    /// Skips tokens with this number, such as padding. Default: none.
    pub fn ignore_index(self, ignore_index: i64) -> Self {
        Self(self.0.with(|formula| formula.ignore_index = Some(ignore_index)))
    }
}

#[derive(Clone)]
struct CrossEntropy {
    ignore_index: Option<i64>,
}

impl CrossEntropy {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_floating("predictions", preds)?;
        require_labels("targets", target)?;
        require_same_device(preds, target)?;
        let (logits, tokens) = (preds.size(), target.size());
        require(logits.len() == 3 && tokens == logits[..2] && logits[2] > 0, || {
            format!(
                "the predictions have the shape {logits:?} and the targets {tokens:?}, but they must be [batch, length, vocabulary] \
                 and [batch, length]"
            )
        })?;
        let kind = if preds.kind() == Kind::Double { Kind::Double } else { Kind::Float };
        let log_probs = preds.f_reshape([-1, logits[2]])?.f_log_softmax(1, kind)?;
        let labels = Labels::read(target, logits[2], self.ignore_index)?;
        let of_targets = log_probs.f_gather(1, &labels.index.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
        let counted = of_targets.f_masked_fill(&labels.counted.f_logical_not()?, 0.0)?;
        let total = counted.f_sum(real(preds.device()))?.f_neg()?;
        Ok(vec![total, labels.counted.f_sum(Kind::Int64)?, labels.out_of_range])
    }
}

impl Formula for CrossEntropy {
    fn name(&self) -> &'static str {
        "Perplexity"
    }

    fn slots(&self) -> Vec<Slot> {
        let total = Slot::real("total_log_probs", DistReduceFx::Sum, []);
        vec![total, Slot::count("count", []), Slot::out_of_range()]
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        state[0].f_div(&state[1])?.f_exp()
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        require_in_range(&state[2], "in the vocabulary")
    }
}
