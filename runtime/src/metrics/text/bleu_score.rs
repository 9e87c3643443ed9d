use std::collections::HashMap;

use tch::{Kind, TchError, Tensor};

use super::n_grams::{compares_with_references, n_grams, require_references};
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::Slot;

/// The share of a translation's sequences of one to four words that are also in its references, with a penalty for short translations:
/// torchmetrics' [`BLEUScore`](https://lightning.ai/docs/torchmetrics/stable/text/bleu_score.html), from 0 to 1, over all texts together.
///
/// Words are divided by white space. The value is 0-dim; 0 if no sequence of some length matches, also with `smooth`.
///
/// State: `numerator`, `denominator`, `preds_len` and `target_len`, on the CPU.
///
/// ```
/// use tch_lightning::metrics::{BleuScore, Metric};
///
/// let score = BleuScore::new();
/// let references = ["there is a cat on the mat", "a cat is on the mat"];
/// score.update(&["the cat is on the mat"], &[references])?;
/// assert!((score.compute()?.double_value(&[]) - 0.7598).abs() < 1e-4);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct BleuScore(Shared<Bleu>);

compares_with_references!(BleuScore);

impl Default for BleuScore {
    fn default() -> Self {
        Self::new()
    }
}

impl BleuScore {
    /// Creates a metric of sequences of one to four words.
    pub fn new() -> Self {
        Self(Shared::new(Bleu { n_gram: 4, smooth: false }))
    }

    /// Sets the largest number of words in a sequence. Default 4.
    pub fn n_gram(self, n_gram: i64) -> Self {
        Self(self.0.with(|formula| formula.n_gram = n_gram))
    }

    /// Sets whether a match is added to the sequences of two words and more. Default false.
    pub fn smooth(self, smooth: bool) -> Self {
        Self(self.0.with(|formula| formula.smooth = smooth))
    }
}

#[derive(Clone)]
struct Bleu {
    n_gram: i64,
    smooth: bool,
}

impl Bleu {
    fn batch<P: AsRef<str>, R: AsRef<[T]>, T: AsRef<str>>(
        &self,
        preds: &[P],
        target: &[R],
    ) -> Result<Vec<Tensor>, Refusal> {
        require_references(preds.len(), target)?;
        let (mut matched, mut all) = (vec![0i64; self.n_gram as usize], vec![0i64; self.n_gram as usize]);
        let (mut preds_len, mut target_len) = (0, 0);
        for (pred, references) in preds.iter().zip(target) {
            let pred: Vec<&str> = pred.as_ref().split_whitespace().collect();
            let references = references.as_ref().iter().map(|text| text.as_ref().split_whitespace().collect());
            let references: Vec<Vec<&str>> = references.collect();
            let lengths = references.iter().map(Vec::len);
            preds_len += pred.len() as i64;
            // of references that are as close, the first
            target_len += lengths.min_by_key(|length| length.abs_diff(pred.len())).unwrap_or(0) as i64;
            for (n, (matched, all)) in (1..).zip(matched.iter_mut().zip(&mut all)) {
                let mut most: HashMap<&[&str], usize> = HashMap::new();
                for (n_gram, count) in references.iter().flat_map(|words| n_grams(words, n)) {
                    let most = most.entry(n_gram).or_default();
                    *most = count.max(*most);
                }
                for (n_gram, count) in n_grams(&pred, n) {
                    *all += count as i64;
                    *matched += most.get(n_gram).map_or(0, |most| count.min(*most)) as i64;
                }
            }
        }
        let counts = [Tensor::f_from_slice(&matched)?, Tensor::f_from_slice(&all)?];
        Ok(counts.into_iter().chain([Tensor::from(preds_len), Tensor::from(target_len)]).collect())
    }
}

impl Formula for Bleu {
    fn name(&self) -> &'static str {
        "BleuScore"
    }

    fn slots(&self) -> Vec<Slot> {
        let counts = |name| Slot::count(name, [self.n_gram.max(1)]);
        let lengths = ["preds_len", "target_len"].map(|name| Slot::count(name, []));
        [counts("numerator"), counts("denominator")].into_iter().chain(lengths).collect()
    }

    fn validate(&self) -> Result<(), Refusal> {
        require_option(self.n_gram >= 1, || format!("n_gram must be 1 or more, but it is {}", self.n_gram))
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let real = |index: usize| state[index].f_to_kind(Kind::Double);
        let (matched, all, preds, target) = (real(0)?, real(1)?, real(2)?, real(3)?);
        let none = matched.f_eq(0)?.f_any()?;
        let extra = Tensor::f_arange(matched.size()[0], (Kind::Int64, matched.device()))?.f_gt(0)?;
        let extra = if self.smooth { extra.f_to_kind(Kind::Double)? } else { matched.f_zeros_like()? };
        let precision = matched.f_add(&extra)?.f_div(&all.f_add(&extra)?)?;
        let mean = precision.f_log()?.f_mean(Kind::Double)?.f_exp()?;
        // 1 for texts that are longer than their references
        let penalty = target.f_div(&preds)?.f_rsub_scalar(1.0)?.f_clamp_max(0.0)?.f_exp()?;
        mean.f_mul(&penalty)?.f_masked_fill(&none, 0.0)
    }
}
