//! Accuracy, precision, recall, specificity, F1 and the Jaccard index, which are computed from the counts of true and false positives and negatives.

use tch::{Kind, TchError, Tensor};

use super::average::{Average, weighted_mean};
use super::decisions::Decisions;
use super::inputs::{Inputs, TaskKind};
use crate::metrics::error::Refusal;
use crate::metrics::labels::require_in_range;
use crate::metrics::ratio::ratio;
use crate::metrics::shared::Formula;
use crate::metrics::slot::Slot;

/// A metric of these counts.
#[derive(Clone)]
pub(super) struct StatScores {
    pub(super) rate: Rate,
    pub(super) inputs: Inputs,
    pub(super) average: Average,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rate {
    Accuracy,
    Precision,
    Recall,
    Specificity,
    F1Score,
    JaccardIndex,
}

/// True and false positives and negatives, each `[classes]`, or 0-dim for all classes together.
struct Counts {
    tp: Tensor,
    fp: Tensor,
    tn: Tensor,
    fn_: Tensor,
}

impl Counts {
    fn of(state: &Tensor) -> Result<Self, TchError> {
        let row = |index| state.f_select(0, index);
        Ok(Self { tp: row(0)?, fp: row(1)?, tn: row(2)?, fn_: row(3)? })
    }

    /// The number of elements with a class.
    fn support(&self) -> Result<Tensor, TchError> {
        self.tp.f_add(&self.fn_)
    }
}

impl Rate {
    fn of(self, counts: &Counts, multiclass: bool) -> Result<Tensor, TchError> {
        let Counts { tp, fp, tn, fn_ } = counts;
        match self {
            // true negatives are not informative if every element has exactly one class
            Self::Accuracy if !multiclass => {
                let right = tp.f_add(tn)?;
                ratio(&right, &right.f_add(fp)?.f_add(fn_)?)
            }
            Self::Accuracy | Self::Recall => ratio(tp, &tp.f_add(fn_)?),
            Self::Precision => ratio(tp, &tp.f_add(fp)?),
            Self::Specificity => ratio(tn, &tn.f_add(fp)?),
            Self::F1Score => {
                let twice = tp.f_mul_scalar(2)?;
                ratio(&twice, &twice.f_add(fp)?.f_add(fn_)?)
            }
            Self::JaccardIndex => ratio(tp, &tp.f_add(fp)?.f_add(fn_)?),
        }
    }
}

impl StatScores {
    pub(super) fn new(rate: Rate) -> impl Fn(Inputs) -> Self {
        let average = if rate == Rate::JaccardIndex { Average::Macro } else { Average::Micro };
        move |inputs| Self { rate, inputs, average }
    }

    pub(super) fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        self.inputs.check(preds, target)?;
        if self.inputs.is_multiclass() {
            let decisions = Decisions::read(&self.inputs, preds, target)?;
            return Ok(vec![decisions.stat_scores()?, decisions.out_of_range]);
        }
        Ok(self.inputs.labelwise_scores(preds, target)?.into())
    }

    /// The weights of a macro average, as in torchmetrics: labels have the same weight, and classes that neither occur nor are
    /// predicted have no weight. With `top_k`, a class must occur, except for specificity and F1.
    fn presence(&self, counts: &Counts) -> Result<Tensor, TchError> {
        if !self.inputs.is_multiclass() {
            return counts.tp.f_ones_like();
        }
        let occurs = counts.support()?;
        let must_occur = self.inputs.top_k > 1 && !matches!(self.rate, Rate::Specificity | Rate::F1Score);
        if must_occur { occurs.f_gt(0) } else { occurs.f_add(&counts.fp)?.f_gt(0) }
    }

    /// Returns the counts, `[4, classes]`, without those of a class that is ignored, which the Jaccard index does not average.
    fn averaged(&self, counts: &Tensor) -> Result<Tensor, TchError> {
        match (self.rate, self.inputs.task, self.inputs.ignore_index) {
            (Rate::JaccardIndex, TaskKind::Multiclass(classes), Some(ignored)) if (0..classes).contains(&ignored) => {
                let classes = Tensor::f_arange(classes, (Kind::Int64, counts.device()))?;
                counts.f_mul(&classes.f_ne(ignored)?)
            }
            _ => Ok(counts.shallow_clone()),
        }
    }
}

impl Formula for StatScores {
    fn name(&self) -> &'static str {
        match self.rate {
            Rate::Accuracy => "Accuracy",
            Rate::Precision => "Precision",
            Rate::Recall => "Recall",
            Rate::Specificity => "Specificity",
            Rate::F1Score => "F1Score",
            Rate::JaccardIndex => "JaccardIndex",
        }
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::count("stat_scores", [4, self.inputs.columns()]), Slot::out_of_range()]
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.inputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let rate = |counts: &Counts| self.rate.of(counts, self.inputs.is_multiclass());
        let counts = self.averaged(&state[0])?;
        if self.average == Average::Micro {
            return rate(&Counts::of(&counts.f_sum_dim_intlist(1, false, None)?)?);
        }
        let counts = Counts::of(&counts)?;
        let rates = rate(&counts)?;
        let weights = match self.average {
            Average::Macro => self.presence(&counts)?,
            Average::Weighted => counts.support()?,
            _ => return Ok(rates),
        };
        let mean = weighted_mean(&rates, &weights)?;
        match self.rate {
            // without any class, torchmetrics' Jaccard index is not a number, and the others are 0
            Rate::JaccardIndex => mean.f_masked_fill(&weights.f_any()?.f_logical_not()?, f64::NAN),
            _ => Ok(mean),
        }
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        require_in_range(&state[1], &self.inputs.range())
    }
}

/// Declares a metric of the counts, with its options by task and its default average.
macro_rules! rates {
    ($metric:ident, $rate:expr, $average:literal) => {
        $crate::metrics::classification::classifies!(
            $metric,
            $crate::metrics::classification::stat_scores::StatScores::new($rate)
        );
        $crate::metrics::classification::decides!($metric);
        $crate::metrics::classification::averages!($metric, $average);
    };
}

/// Declares a metric of the counts of predictions that may be among the highest.
macro_rules! stat_scores {
    ($metric:ident, $rate:expr) => {
        $crate::metrics::classification::stat_scores::rates!($metric, $rate, "Micro");

        impl $metric<$crate::metrics::Multiclass> {
            /// Counts a prediction as correct if the target is among this number of classes with the highest scores. Default 1.
            pub fn top_k(self, top_k: i64) -> Self {
                Self(self.0.with(|formula| formula.inputs.top_k = top_k))
            }
        }
    };
}

pub(super) use {rates, stat_scores};
