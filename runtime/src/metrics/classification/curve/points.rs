//! The points of a curve: what each threshold finds, from the highest threshold to the lowest.

use tch::{Kind, TchError, Tensor};

/// Counts for each column of scores.
pub(super) struct Points {
    /// The positives at or above each threshold, i64 `[columns, thresholds]`.
    pub(super) tps: Tensor,
    /// The negatives at or above each threshold, i64 `[columns, thresholds]`.
    pub(super) fps: Tensor,
    /// All positives, i64 `[columns]`.
    pub(super) positives: Tensor,
    /// All negatives, i64 `[columns]`.
    pub(super) negatives: Tensor,
}

/// Which elements are positive and which negative; others do not count. Both bool `[elements, columns]`.
pub(super) struct Sides {
    pub(super) positive: Tensor,
    pub(super) negative: Tensor,
}

impl Points {
    /// Returns the curve with every score as a threshold, and its start, with a threshold above all scores.
    ///
    /// There are as many points as elements, so that the number of distinct scores need not be read on the host: equal
    /// scores yield the same point, which adds nothing to an area.
    pub(super) fn exact(scores: &Tensor, sides: &Sides) -> Result<Self, TchError> {
        let by_column = |side: &Tensor| side.f_to_kind(Kind::Int64)?.f_transpose(0, 1);
        let (positive, negative) = (by_column(&sides.positive)?, by_column(&sides.negative)?);
        let total = |side: &Tensor| side.f_sum_dim_intlist(1, false, None);
        let (positives, negatives) = (total(&positive)?, total(&negative)?);
        let none = Tensor::f_zeros([positives.numel() as i64, 1], (Kind::Int64, scores.device()))?;
        // libtorch cannot search in nothing
        if scores.numel() == 0 {
            return Ok(Self { tps: none.shallow_clone(), fps: none, positives, negatives });
        }
        let (descending, order) = scores.f_neg()?.f_transpose(0, 1)?.f_contiguous()?.f_sort(1, false)?;
        let last_of_equals =
            descending.f_searchsorted::<&Tensor>(&descending, false, true, "right", None)?.f_sub_scalar(1)?;
        let found = |side: &Tensor| {
            let found = side.f_gather(1, &order, false)?.f_cumsum(1, None)?.f_gather(1, &last_of_equals, false)?;
            Tensor::f_cat(&[&none, &found], 1)
        };
        Ok(Self { tps: found(&positive)?, fps: found(&negative)?, positives, negatives })
    }

    /// The curve of counts `[columns, 2, bins]`: the negatives and the positives between any two thresholds, the first bin
    /// below them all and the last above.
    pub(super) fn binned(histogram: &Tensor) -> Result<Self, TchError> {
        let found = histogram.f_flip([2])?.f_cumsum(2, None)?;
        let thresholds = found.size()[2] - 1;
        let side = |side| found.f_select(1, side);
        Ok(Self {
            tps: side(1)?.f_narrow(1, 0, thresholds)?,
            fps: side(0)?.f_narrow(1, 0, thresholds)?,
            positives: side(1)?.f_select(1, thresholds)?,
            negatives: side(0)?.f_select(1, thresholds)?,
        })
    }
}
