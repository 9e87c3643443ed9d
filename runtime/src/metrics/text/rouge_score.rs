use tch::{Kind, TchError, Tensor};

use super::n_grams::{compares_with_references, n_grams, require_references};
use crate::metrics::DistReduceFx;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::Slot;

/// The words that a summary shares with its references: torchmetrics'
/// [`ROUGEScore`](https://lightning.ai/docs/torchmetrics/stable/text/rouge_score.html), the mean over all texts.
///
/// [`RougeScore::n`] compares sequences of words, and [`RougeScore::l`] the longest common subsequence. Texts are compared in lower case, without
/// anything other than `a` to `z` and digits. `rougeLsum`, for which torchmetrics divides texts into sentences by NLTK, and stemming are
/// not supported. The value is 0-dim.
///
/// State: `scores`, the sums of precision, recall and F-measure, and `total`, on the CPU.
///
/// ```
/// use tch_lightning::metrics::{Metric, RougeScore, RougeStatistic};
///
/// let (rouge_1, rouge_l) = (RougeScore::n(1), RougeScore::l().statistic(RougeStatistic::Recall));
/// for score in [&rouge_1, &rouge_l] {
///     score.update(&["My name is John"], &[["Is your name John"]])?;
/// }
/// assert_eq!(rouge_1.compute()?.double_value(&[]), 0.75); // "name", "is", "john"
/// assert_eq!(rouge_l.compute()?.double_value(&[]), 0.5); // "name john"
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct RougeScore(Shared<Rouge>);

compares_with_references!(RougeScore);

/// What a [`RougeScore`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RougeStatistic {
    /// The share of the summary that is in the reference.
    Precision,
    /// The share of the reference that is in the summary.
    Recall,
    /// The harmonic mean of both.
    #[default]
    FMeasure,
}

/// How a [`RougeScore`] joins the scores with several references.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RougeAccumulate {
    /// The scores with the reference that has the highest F-measure.
    #[default]
    Best,
    /// The means.
    Avg,
}

impl RougeScore {
    /// Creates a metric of sequences of `n` words, ROUGE-N.
    pub fn n(n: i64) -> Self {
        Self::of(Unit::NGrams(n))
    }

    /// Creates a metric of the longest common subsequence of words, ROUGE-L.
    pub fn l() -> Self {
        Self::of(Unit::LongestSubsequence)
    }

    fn of(unit: Unit) -> Self {
        Self(Shared::new(Rouge { unit, statistic: RougeStatistic::default(), accumulate: RougeAccumulate::default() }))
    }

    /// Sets what the value is. Default [`RougeStatistic::FMeasure`].
    pub fn statistic(self, statistic: RougeStatistic) -> Self {
        Self(self.0.with(|formula| formula.statistic = statistic))
    }

    /// Sets how the scores with several references are joined. Default [`RougeAccumulate::Best`].
    pub fn accumulate(self, accumulate: RougeAccumulate) -> Self {
        Self(self.0.with(|formula| formula.accumulate = accumulate))
    }
}

#[derive(Clone)]
struct Rouge {
    unit: Unit,
    statistic: RougeStatistic,
    accumulate: RougeAccumulate,
}

/// What a summary shares with a reference.
#[derive(Clone, Copy)]
enum Unit {
    NGrams(i64),
    LongestSubsequence,
}

impl Unit {
    /// Returns precision, recall and F-measure.
    fn scores(self, pred: &[&str], reference: &[&str]) -> [f64; 3] {
        let (shared, of_pred, of_reference) = match self {
            Self::NGrams(n) => {
                let (pred, reference) = (n_grams(pred, n as usize), n_grams(reference, n as usize));
                let shared = pred.iter().map(|(n_gram, count)| *count.min(reference.get(n_gram).unwrap_or(&0)));
                (shared.sum::<usize>(), pred.values().sum::<usize>(), reference.values().sum())
            }
            Self::LongestSubsequence => (longest_subsequence(pred, reference), pred.len(), reference.len()),
        };
        if shared == 0 {
            return [0.0; 3];
        }
        let (precision, recall) = (shared as f64 / of_pred as f64, shared as f64 / of_reference as f64);
        [precision, recall, 2.0 * precision * recall / (precision + recall)]
    }
}

/// Returns the length of the longest sequence of words that is in both texts, with gaps.
fn longest_subsequence(one: &[&str], other: &[&str]) -> usize {
    let mut lengths = vec![0; other.len() + 1];
    for word in one {
        let mut diagonal = 0;
        for (index, other) in other.iter().enumerate() {
            let above = lengths[index + 1];
            lengths[index + 1] = if word == other { diagonal + 1 } else { above.max(lengths[index]) };
            diagonal = above;
        }
    }
    lengths[other.len()]
}

impl Rouge {
    fn batch<P: AsRef<str>, R: AsRef<[T]>, T: AsRef<str>>(
        &self,
        preds: &[P],
        target: &[R],
    ) -> Result<Vec<Tensor>, Refusal> {
        require_references(preds.len(), target)?;
        let mut sums = [0.0; 3];
        for (pred, references) in preds.iter().zip(target) {
            let pred = pred.as_ref().to_lowercase();
            let pred = words(&pred);
            let scores = references.as_ref().iter().map(|reference| {
                let reference = reference.as_ref().to_lowercase();
                self.unit.scores(&pred, &words(&reference))
            });
            let scores: Vec<[f64; 3]> = scores.collect();
            let joined = match self.accumulate {
                // of references that are as good, the first
                RougeAccumulate::Best => {
                    scores.into_iter().reduce(|best, next| if next[2] > best[2] { next } else { best })
                }
                RougeAccumulate::Avg => {
                    let number = scores.len() as f64;
                    Some([0, 1, 2].map(|index| scores.iter().map(|scores| scores[index]).sum::<f64>() / number))
                }
            };
            sums.iter_mut().zip(joined.unwrap_or_default()).for_each(|(sum, score)| *sum += score);
        }
        Ok(vec![Tensor::f_from_slice(&sums)?, Tensor::from(preds.len() as i64)])
    }
}

/// Returns the words of a text in lower case.
fn words(text: &str) -> Vec<&str> {
    let is_separator = |letter: char| !letter.is_ascii_lowercase() && !letter.is_ascii_digit();
    text.split(is_separator).filter(|word| !word.is_empty()).collect()
}

impl Formula for Rouge {
    fn name(&self) -> &'static str {
        "RougeScore"
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::real("scores", DistReduceFx::Sum, [3]), Slot::count("total", [])]
    }

    fn validate(&self) -> Result<(), Refusal> {
        match self.unit {
            Unit::NGrams(n) => require_option(n >= 1, || format!("n must be 1 or more, but it is {n}")),
            Unit::LongestSubsequence => Ok(()),
        }
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let index = match self.statistic {
            RougeStatistic::Precision => 0,
            RougeStatistic::Recall => 1,
            RougeStatistic::FMeasure => 2,
        };
        state[0].f_select(0, index)?.f_to_kind(Kind::Double)?.f_div(&state[1])
    }
}
