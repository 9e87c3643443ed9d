use std::sync::LazyLock;
use tch::{Device, Kind, TchError, Tensor};

/// The distribution of a tensor's values.
///
/// The edges of the bins grow by a tenth from 1e-12 to 1e20 in both directions, as those of PyTorch's
/// [`add_histogram`](https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_histogram)
/// do by default, so that histograms of several steps and layers have the same edges. Values beyond the last edges count in the last bins.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Histogram {
    /// The number of finite values.
    pub count: u64,
    /// The number of values that are NaN or infinite. They are in none of the other fields.
    pub non_finite: u64,
    /// The smallest value; NaN if there are no finite values, as are the next.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The sum of the values.
    pub sum: f64,
    /// The sum of the squares of the values.
    pub sum_of_squares: f64,
    /// The edges of the bins, from the first bin to the last one with a value in it: one more than `counts`, or none if there are no
    /// finite values.
    pub edges: Vec<f64>,
    /// The number of values in each bin, which contains its lower edge and not its upper one.
    pub counts: Vec<u64>,
}

/// All edges: the negative ones, 0 and the positive ones.
static EDGES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut positive = vec![1e-12];
    while let Some(next) = positive.last().map(|edge| edge * 1.1).filter(|edge| *edge < 1e20) {
        positive.push(next);
    }
    let negative = positive.iter().rev().map(|edge| -edge);
    negative.chain([0.0]).chain(positive.iter().copied()).collect()
});

/// The numbers of a binned tensor that come before its counts.
const MOMENTS: usize = 4;

/// Counts values on their device.
pub(crate) struct Binning {
    edges: Tensor,
}

impl Binning {
    /// Returns a binning for tensors of a dtype on a device.
    pub(crate) fn new(kind: Kind, device: Device) -> Result<Self, TchError> {
        let edges = Tensor::f_from_slice(&EDGES)?.f_to_device(device)?.f_to_kind(computed(kind))?;
        Ok(Self { edges })
    }

    pub(crate) fn fits(&self, kind: Kind, device: Device) -> bool {
        self.edges.kind() == computed(kind) && self.edges.device() == device
    }

    /// Returns `[moments + counts] f64` on the device of the values, which [`Histogram::read`] reads. The host does not wait for it.
    pub(crate) fn bin(&self, values: &Tensor) -> Result<Tensor, TchError> {
        let values = values.f_flatten(0, -1)?.f_to_kind(self.edges.kind())?;
        let is_finite = values.f_isfinite()?;
        let zeros = values.f_nan_to_num(0.0, 0.0, 0.0)?;
        let infinity = Tensor::f_full_like(&values, f64::INFINITY)?;
        let moments = [
            zeros.f_where_self(&is_finite, &infinity)?.f_min()?.f_to_kind(Kind::Double)?,
            zeros.f_where_self(&is_finite, &infinity.f_neg()?)?.f_max()?.f_to_kind(Kind::Double)?,
            zeros.f_sum(Kind::Double)?,
            zeros.f_to_kind(Kind::Double)?.f_square()?.f_sum(Kind::Double)?,
        ];
        let bins = i64::try_from(EDGES.len()).unwrap_or(i64::MAX) - 1;
        // an index after the last bin for what is not finite
        let index = zeros.f_bucketize(&self.edges, false, true)?.f_sub_scalar(1)?.f_clamp(0, bins - 1)?;
        let index = index.f_where_self(&is_finite, &Tensor::f_full_like(&index, bins)?)?;
        let options = (Kind::Double, values.device());
        let ones = Tensor::f_ones([1], options)?.f_expand_as(&index)?;
        let counts = Tensor::f_zeros([bins + 1], options)?.f_scatter_add(0, &index, &ones)?;
        Tensor::f_cat(&[Tensor::f_stack(&moments, 0)?, counts], 0)
    }
}

/// The dtype in which values of a dtype are compared with the edges.
fn computed(kind: Kind) -> Kind {
    match kind {
        Kind::Half | Kind::BFloat16 | Kind::Float => Kind::Float,
        _ => Kind::Double,
    }
}

impl Histogram {
    /// Reads what [`Binning::bin`] returned. Waits for the device.
    pub(crate) fn read(binned: &Tensor) -> Result<Self, TchError> {
        let numbers = Vec::<f64>::try_from(binned.f_to_device(Device::Cpu)?)?;
        let (moments, counts) = numbers.split_at(MOMENTS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are whole numbers")]
        let mut counts: Vec<u64> = counts.iter().map(|count| *count as u64).collect();
        let non_finite = counts.pop().unwrap_or(0);
        let is_used = |count: &u64| *count > 0;
        let used = counts.iter().position(is_used).zip(counts.iter().rposition(is_used));
        let (edges, counts) = match used {
            Some((first, last)) => (EDGES[first..=last + 1].to_vec(), counts[first..=last].to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        let count = counts.iter().sum();
        let or_nan = |value| if count > 0 { value } else { f64::NAN };
        let [min, max, sum, sum_of_squares] = [0, 1, 2, 3].map(|moment| or_nan(moments[moment]));
        Ok(Self { count, non_finite, min, max, sum, sum_of_squares, edges, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &Tensor) -> Histogram {
        let binning = Binning::new(values.kind(), values.device()).unwrap();
        Histogram::read(&binning.bin(values).unwrap()).unwrap()
    }

    #[test]
    fn edges_are_those_of_pytorch() {
        // len(torch.utils.tensorboard.SummaryWriter()._get_default_bins()), and its first and last
        assert_eq!(EDGES.len(), 1549);
        assert_eq!(EDGES[774], 0.0);
        assert!((EDGES[1548] / 9.920_775_621_859_783e19 - 1.0).abs() < 1e-9, "{}", EDGES[1548]);
        assert_eq!(EDGES[0], -EDGES[1548]);
    }

    #[test]
    fn values_are_in_the_bins_that_contain_them() {
        let values = [0.0, -1.0, 2.5, 2.5, 1e-20, 1e30, f32::NAN, f32::NEG_INFINITY];
        let found = histogram(&Tensor::from_slice(&values).view([2, 4]));
        assert_eq!((found.count, found.non_finite), (6, 2));
        assert_eq!((found.min, found.max), (-1.0, f64::from(1e30_f32)));
        assert_eq!(found.edges.len(), found.counts.len() + 1);
        let count_at = |value: f64| {
            let bin = found.edges.windows(2).position(|edges| edges[0] <= value && value < edges[1]).unwrap();
            found.counts[bin]
        };
        assert_eq!([count_at(0.0), count_at(-1.0), count_at(2.5), count_at(1.0)], [2, 1, 2, 0]);
        assert_eq!((found.counts[0], found.counts.last()), (1, Some(&1)));
    }

    #[test]
    fn moments_are_sums_over_the_values() {
        for kind in [Kind::Float, Kind::Double, Kind::Int64, Kind::Half, Kind::BFloat16] {
            let found = histogram(&Tensor::from_slice(&[1.0, 2.0, -4.0]).to_kind(kind));
            assert_eq!([found.min, found.max, found.sum, found.sum_of_squares], [-4.0, 2.0, -1.0, 21.0], "{kind:?}");
        }
    }

    #[test]
    fn values_without_a_finite_one_have_no_bins() {
        let found = histogram(&Tensor::from_slice(&[f64::NAN, f64::INFINITY]));
        assert_eq!((found.count, found.non_finite), (0, 2));
        assert!(found.min.is_nan() && found.sum.is_nan() && found.edges.is_empty() && found.counts.is_empty());
    }
}
