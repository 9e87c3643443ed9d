use tch::{Kind, TchError, Tensor};

use super::average::Average;
use super::decisions::Decisions;
use super::inputs::Inputs;
use crate::metrics::DistReduceFx;
use crate::metrics::error::Refusal;
use crate::metrics::handle::compares;
use crate::metrics::inputs::require;
use crate::metrics::labels::require_in_range;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The overlap of predicted and true segments: torchmetrics'
/// [`DiceScore`](https://lightning.ai/docs/torchmetrics/stable/segmentation/dice.html), twice the number of pixels that have a class and were
/// predicted to have it, divided by the sum of the numbers of both.
///
/// `update` takes the classes `[batch, …]` of an integer dtype, and as predictions classes of the same shape, or scores
/// `[batch, classes, …]` of a floating-point dtype: the `input_format` `"index"` of torchmetrics. Options: `average`, by default
/// [`Macro`](crate::metrics::Average::Macro), `include_background` and `aggregation_level`. The value is 0-dim, or `[classes]` without an average.
/// Classes and samples with neither predicted nor true pixels are not averaged; NaN if there is nothing else.
///
/// State: `dice` and `total`, or for [`AggregationLevel::Global`] `numerator`, `denominator` and `support`; and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{DiceScore, Metric};
///
/// let dice = DiceScore::new(2);
/// // the predicted and the true class of each pixel of a 2x2 image
/// let (preds, target) = (Tensor::from_slice2(&[[0i64, 1], [1, 1]]), Tensor::from_slice2(&[[0i64, 0], [1, 1]]));
/// dice.update(&preds.unsqueeze(0), &target.unsqueeze(0))?;
/// // class 0: 2 of 1 + 2, class 1: 4 of 3 + 2
/// assert!((dice.compute()?.double_value(&[]) - (2.0 / 3.0 + 4.0 / 5.0) / 2.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct DiceScore(Shared<Dice>);

compares!(DiceScore);

impl DiceScore {
    /// Creates a metric of this number of classes, 2 or more, of which every pixel has one.
    pub fn new(num_classes: i64) -> Self {
        Self(Shared::new(Dice {
            inputs: Inputs::multiclass(num_classes),
            average: Average::Macro,
            include_background: true,
            level: AggregationLevel::default(),
        }))
    }

    /// Sets the average over classes. Default [`Macro`](crate::metrics::Average::Macro).
    pub fn average(self, average: Average) -> Self {
        Self(self.0.with(|formula| formula.average = average))
    }

    /// Sets whether class 0 counts. Default true.
    pub fn include_background(self, include_background: bool) -> Self {
        Self(self.0.with(|formula| formula.include_background = include_background))
    }

    /// Sets over what pixels are counted. Default [`AggregationLevel::Samplewise`].
    pub fn aggregation_level(self, level: AggregationLevel) -> Self {
        Self(self.0.with(|formula| formula.level = level))
    }
}

/// Over what a [`DiceScore`] counts pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AggregationLevel {
    /// Over each sample, whose scores are averaged.
    #[default]
    Samplewise,
    /// Over all samples together.
    Global,
}

#[derive(Clone)]
struct Dice {
    inputs: Inputs,
    average: Average,
    include_background: bool,
    level: AggregationLevel,
}

impl Dice {
    /// The number of classes that count.
    fn classes(&self) -> i64 {
        self.inputs.columns() - i64::from(!self.include_background)
    }

    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        self.inputs.check(preds, target)?;
        let shape = target.size();
        require(!shape.is_empty(), || "its targets have no dimension, but they must be [batch, …]".to_owned())?;
        let decisions = Decisions::read(&self.inputs, preds, target)?;
        let kind = real(target.device());
        let first = i64::from(!self.include_background);
        let counts =
            decisions.by_sample(shape[0])?.map(|counts| counts.f_narrow(1, first, self.classes())?.f_to_kind(kind));
        let [both, predicted, support] = counts;
        let (numerator, support) = (both?.f_mul_scalar(2)?, support?);
        let denominator = predicted?.f_add(&support)?;
        let mut state = match self.level {
            AggregationLevel::Global => [numerator, denominator, support]
                .iter()
                .map(|counts| counts.f_sum_dim_intlist(0, false, kind))
                .collect::<Result<Vec<_>, TchError>>()?,
            AggregationLevel::Samplewise => {
                let scores = self.scores(&numerator, &denominator, &support)?;
                let total = scores.f_isnan()?.f_logical_not()?.f_sum_dim_intlist(0, false, Kind::Int64)?;
                vec![scores.f_nansum(0, false, kind)?, total]
            }
        };
        state.push(decisions.out_of_range);
        Ok(state)
    }

    /// Returns the score of each sample, `[samples]`, or `[samples, classes]` without an average, from counts `[samples, classes]`.
    fn scores(&self, numerator: &Tensor, denominator: &Tensor, support: &Tensor) -> Result<Tensor, TchError> {
        let kind = numerator.kind();
        let total = |counts: &Tensor| counts.f_sum_dim_intlist(-1, false, kind);
        if self.average == Average::Micro {
            return total(numerator)?.f_div(&total(denominator)?);
        }
        // 0 / 0 is NaN
        let scores = numerator.f_div(denominator)?;
        match self.average {
            Average::Macro => scores.f_nanmean(-1, false, None),
            Average::Weighted => {
                let weighted = scores.f_mul(support)?.f_nansum(-1, false, kind)?.f_div(&total(support)?)?;
                // with predicted pixels alone, the weights are NaN, which torchmetrics does not sum
                let none = total(support)?.f_eq(0)?.f_logical_and(&total(denominator)?.f_gt(0)?)?;
                weighted.f_masked_fill(&none, 0.0)
            }
            _ => Ok(scores),
        }
    }

    /// The shape of a score.
    fn shape(&self) -> Vec<i64> {
        if self.average == Average::None { vec![self.classes()] } else { Vec::new() }
    }
}

impl Formula for Dice {
    fn name(&self) -> &'static str {
        "DiceScore"
    }

    fn slots(&self) -> Vec<Slot> {
        let counts = |name| Slot::real(name, DistReduceFx::Sum, [self.classes()]);
        let mut slots = match self.level {
            AggregationLevel::Global => vec![counts("numerator"), counts("denominator"), counts("support")],
            AggregationLevel::Samplewise => {
                vec![Slot::real("dice", DistReduceFx::Sum, self.shape()), Slot::count("total", self.shape())]
            }
        };
        slots.push(Slot::out_of_range());
        slots
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.inputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        match self.level {
            AggregationLevel::Samplewise => state[0].f_div(&state[1]),
            AggregationLevel::Global => {
                let [numerator, denominator, support] = [0, 1, 2].map(|index| state[index].f_unsqueeze(0));
                self.scores(&numerator?, &denominator?, &support?)?.f_squeeze_dim(0)
            }
        }
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        require_in_range(&state[state.len() - 1], &self.inputs.range())
    }
}
