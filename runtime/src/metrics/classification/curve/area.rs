use tch::{Kind, TchError, Tensor};

use super::points::{Points, Sides};
use super::thresholds::Thresholds;
use crate::metrics::classification::average::{Average, weighted_mean};
use crate::metrics::classification::decisions::bins;
use crate::metrics::classification::inputs::{Inputs, TaskKind};
use crate::metrics::classification::probabilities::Normalization;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::inputs::require_floating;
use crate::metrics::labels::{Labels, require_in_range};
use crate::metrics::ratio::ratio;
use crate::metrics::shared::Formula;
use crate::metrics::slot::Slot;

/// The area under a curve of each class or label.
#[derive(Clone)]
pub(super) struct Area {
    pub(super) curve: Curve,
    pub(super) inputs: Inputs,
    pub(super) average: Average,
    /// `None` if every score is a threshold.
    pub(super) thresholds: Option<Thresholds>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    /// True positives over false positives.
    Roc,
    /// Precision over recall.
    PrecisionRecall,
}

/// A batch, or all of them.
struct Scored {
    /// Probabilities, f32 `[elements, columns]`.
    scores: Tensor,
    /// The classes `[elements]`, or 0 and 1 for labels `[elements, columns]`, and -1 for elements that are not counted; i64.
    target: Tensor,
}

impl Curve {
    /// Returns the areas, `[columns]`; 0 for a column without positives.
    fn area(self, points: &Points) -> Result<Tensor, TchError> {
        let Points { tps, fps, positives, negatives } = points;
        match self {
            Self::Roc => {
                // doubled trapezoids, which are integers
                let number = tps.size()[1] - 1;
                let mean = tps.f_narrow(1, 1, number)?.f_add(&tps.f_narrow(1, 0, number)?)?;
                let doubled =
                    fps.f_diff::<Tensor>(1, 1, None, None)?.f_mul(&mean)?.f_sum_dim_intlist(1, false, None)?;
                ratio(&doubled, &positives.f_mul(negatives)?.f_mul_scalar(2)?)
            }
            Self::PrecisionRecall => {
                let none = tps.f_narrow(1, 0, 1)?.f_zeros_like()?;
                let rise = tps.f_diff(1, 1, Some(none), None)?;
                let precision = ratio(tps, &tps.f_add(fps)?)?;
                ratio(&precision.f_mul(&rise)?.f_sum_dim_intlist(1, false, None)?, positives)
            }
        }
    }
}

impl Area {
    pub(super) fn of(curve: Curve) -> impl Fn(Inputs) -> Self {
        move |inputs| {
            let average = if inputs.task == TaskKind::Binary { Average::Micro } else { Average::Macro };
            Self { curve, inputs, average, thresholds: None }
        }
    }

    pub(super) fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_floating("predictions", preds)?;
        self.inputs.check(preds, target)?;
        let (scored, out_of_range) = self.read(preds, target)?;
        match &self.thresholds {
            None => Ok(vec![scored.scores, scored.target, out_of_range]),
            Some(thresholds) => Ok(vec![self.histogram(&scored, thresholds)?, out_of_range]),
        }
    }

    fn read(&self, preds: &Tensor, target: &Tensor) -> Result<(Scored, Tensor), TchError> {
        let scores = self.inputs.by_label(preds)?.f_to_kind(Kind::Float)?;
        if self.inputs.is_multiclass() {
            let scores = Normalization::Softmax.probabilities(&scores)?;
            let labels = Labels::read(target, self.inputs.columns(), self.inputs.ignore_index)?;
            let target = labels.index.f_masked_fill(&labels.counted.f_logical_not()?, -1)?;
            return Ok((Scored { scores, target }, labels.out_of_range));
        }
        let scores = Normalization::Sigmoid.probabilities(&scores)?;
        let truth = self.inputs.truth(target, None)?;
        let counted = truth.positive.f_logical_or(&truth.negative)?;
        let target = truth.positive.f_to_kind(Kind::Int64)?.f_masked_fill(&counted.f_logical_not()?, -1)?;
        Ok((Scored { scores, target }, truth.out_of_range))
    }

    fn sides(&self, target: &Tensor) -> Result<Sides, TchError> {
        if !self.inputs.is_multiclass() {
            return Ok(Sides { positive: target.f_eq(1)?, negative: target.f_eq(0)? });
        }
        let target = target.f_unsqueeze(1)?;
        let classes = Tensor::f_arange(self.inputs.columns(), (Kind::Int64, target.device()))?;
        let positive = target.f_eq_tensor(&classes)?;
        let negative = positive.f_logical_not()?.f_logical_and(&target.f_ge(0)?)?;
        Ok(Sides { positive, negative })
    }

    /// Returns counts, `[columns, 2, thresholds + 1]`: for each column, the negatives and positives between two thresholds.
    fn histogram(&self, scored: &Scored, thresholds: &Thresholds) -> Result<Tensor, TchError> {
        let device = scored.scores.device();
        let (columns, intervals) = (self.inputs.columns(), thresholds.number() + 1);
        let interval = scored.scores.f_contiguous()?.f_bucketize(&thresholds.on(device)?, false, true)?;
        let Sides { positive, negative } = self.sides(&scored.target)?;
        let column = Tensor::f_arange(columns, (Kind::Int64, device))?;
        let row = column.f_mul_scalar(2)?.f_add(&positive)?;
        let index = row.f_mul_scalar(intervals)?.f_add(&interval)?.f_reshape([-1])?;
        let counted = positive.f_logical_or(&negative)?.f_to_kind(Kind::Int64)?.f_reshape([-1])?;
        bins(columns * 2 * intervals, &index, &counted)?.f_reshape([columns, 2, intervals])
    }

    fn points(&self, state: &[Tensor]) -> Result<Points, TchError> {
        let together = self.average == Average::Micro;
        if self.thresholds.is_some() {
            let histogram = &state[0];
            return Points::binned(&if together {
                histogram.f_sum_dim_intlist(0, true, None)?
            } else {
                histogram.shallow_clone()
            });
        }
        let (scores, sides) = (&state[0], self.sides(&state[1])?);
        if !together {
            return Points::exact(scores, &sides);
        }
        let column = |tensor: &Tensor| tensor.f_reshape([-1, 1]);
        let sides = Sides { positive: column(&sides.positive)?, negative: column(&sides.negative)? };
        Points::exact(&column(scores)?, &sides)
    }
}

impl Formula for Area {
    fn name(&self) -> &'static str {
        match self.curve {
            Curve::Roc => "Auroc",
            Curve::PrecisionRecall => "AveragePrecision",
        }
    }

    fn slots(&self) -> Vec<Slot> {
        let columns = self.inputs.columns();
        if let Some(thresholds) = &self.thresholds {
            return vec![Slot::count("histogram", [columns, 2, thresholds.number() + 1]), Slot::out_of_range()];
        }
        let labels = if self.inputs.is_multiclass() { Vec::new() } else { vec![columns] };
        vec![Slot::scores("preds", [columns]), Slot::labels("target", labels), Slot::out_of_range()]
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.inputs.validate()?;
        let has_average = !(self.inputs.is_multiclass() && self.average == Average::Micro);
        require_option(has_average, || "average must not be Micro for the multiclass task".to_owned())?;
        self.thresholds.as_ref().map_or(Ok(()), Thresholds::validate)
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let points = self.points(state)?;
        let mut areas = self.curve.area(&points)?;
        // as in torchmetrics: if every score is a threshold, the precision of a class that does not occur is undefined
        if self.curve == Curve::PrecisionRecall && self.inputs.is_multiclass() && self.thresholds.is_none() {
            areas = areas.f_masked_fill(&points.positives.f_eq(0)?, f64::NAN)?;
        }
        match self.average {
            Average::Micro => areas.f_select(0, 0),
            Average::Macro => areas.f_nanmean(None::<i64>, false, None),
            Average::Weighted => weighted_mean(&areas.f_nan_to_num(0.0, None, None)?, &points.positives),
            Average::None => Ok(areas),
        }
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        let out_of_range = if self.thresholds.is_some() { &state[1] } else { &state[2] };
        require_in_range(out_of_range, &self.inputs.range())
    }
}
