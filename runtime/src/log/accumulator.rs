//! Adds up what is logged over an epoch, on the device.

use super::scalar::{Scalar, widest};
use crate::json_float::JsonFloat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::{TchError, Tensor, no_grad};

/// How the values of an epoch become one. Lightning's `reduce_fx`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Reduction {
    /// The mean, each value weighted with its batch's size.
    #[default]
    Mean,
    /// The sum.
    Sum,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

/// Values are gathered and reduced from this number on: one small kernel for many steps instead of two for each.
const CHUNK: usize = 64;

/// The running reduction of one logged name. Nothing is copied to the host before [`Accumulator::value`].
#[derive(Debug)]
pub(super) struct Accumulator {
    reduction: Reduction,
    waiting: Vec<Tensor>,
    waiting_weights: Vec<f64>,
    on_device: Option<Tensor>,
    on_host: Option<f64>,
    weight: f64,
    before: Option<Before>,
}

/// An accumulator before the first value after a mark. Values that wait are not reduced before the next mark, so that they can be
/// taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Before {
    #[serde(skip)]
    mark: u64,
    waiting: usize,
    on_host: Option<JsonFloat>,
    weight: f64,
}

impl Accumulator {
    pub(super) fn new(reduction: Reduction) -> Self {
        Self {
            reduction,
            waiting: Vec::new(),
            waiting_weights: Vec::new(),
            on_device: None,
            on_host: None,
            weight: 0.0,
            before: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.on_host.is_none() && self.on_device.is_none() && self.waiting.is_empty()
    }

    /// Adds a value, which counts `weight` times in a mean. It can be taken back together with all others after the log's `mark`.
    pub(super) fn add(&mut self, value: &Scalar, weight: f64, mark: u64) -> Result<(), TchError> {
        if !self.has_values_after(mark) {
            self.begin(mark)?;
        }
        match value {
            // in the log's own memory: it does not change while it waits
            Scalar::Tensor(tensor) => {
                self.waiting.push(tensor.shallow_clone());
                self.waiting_weights.push(weight);
            }
            Scalar::Number(number) => self.add_number(*number, weight),
        }
        self.weight += weight;
        Ok(())
    }

    fn has_values_after(&self, mark: u64) -> bool {
        self.before.as_ref().is_some_and(|before| before.mark == mark)
    }

    fn begin(&mut self, mark: u64) -> Result<(), TchError> {
        if self.waiting.len() >= CHUNK {
            self.reduce_waiting()?;
        }
        let on_host = self.on_host.map(JsonFloat);
        self.before = Some(Before { mark, waiting: self.waiting.len(), on_host, weight: self.weight });
        Ok(())
    }

    /// Takes back what was added after `mark`.
    pub(super) fn go_back(&mut self, mark: u64) {
        if let Some(before) = self.before.take_if(|before| before.mark == mark) {
            self.waiting.truncate(before.waiting);
            self.waiting_weights.truncate(before.waiting);
            self.on_host = before.on_host.map(|JsonFloat(number)| number);
            self.weight = before.weight;
        }
    }

    /// Adds a number that is on the host already.
    fn add_number(&mut self, value: f64, weight: f64) {
        let value = if self.reduction == Reduction::Mean { value * weight } else { value };
        self.on_host = Some(self.on_host.map_or(value, |before| self.reduction.of_two(before, value)));
    }

    fn reduce_waiting(&mut self) -> Result<(), TchError> {
        self.on_device = self.reduced()?;
        self.waiting.clear();
        self.waiting_weights.clear();
        Ok(())
    }

    /// All tensors so far as one, on the device.
    fn reduced(&self) -> Result<Option<Tensor>, TchError> {
        let before = self.on_device.as_ref();
        if self.waiting.is_empty() {
            return Ok(before.map(Tensor::shallow_clone));
        }
        let reduced = no_grad(|| self.chunk())?;
        let both = before.map(|before| no_grad(|| self.reduction.of_two_tensors(before, &reduced)));
        both.unwrap_or(Ok(reduced)).map(Some)
    }

    fn chunk(&self) -> Result<Tensor, TchError> {
        let values = Tensor::f_stack(&self.waiting, 0)?;
        let kind = widest(values.device());
        match self.reduction {
            Reduction::Mean => {
                let weights =
                    Tensor::f_from_slice(&self.waiting_weights)?.f_to_kind(kind)?.f_to_device(values.device())?;
                values.f_dot(&weights)
            }
            Reduction::Sum => values.f_sum(kind),
            Reduction::Min => values.f_min(),
            Reduction::Max => values.f_max(),
        }
    }

    /// The reduced value, or nothing where nothing was added. Waits for the device.
    pub(super) fn value(&self) -> Result<Option<f64>, TchError> {
        let on_device = self.reduced()?.map(|tensor| tensor.f_double_value(&[])).transpose()?;
        let total = match (on_device, self.on_host) {
            (Some(device), Some(host)) => Some(self.reduction.of_two(device, host)),
            (one, other) => one.or(other),
        };
        Ok(total.map(|total| if self.reduction == Reduction::Mean { total / self.weight } else { total }))
    }

    /// The total weight of the values.
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new(self.reduction);
    }
}

/// An accumulator, apart from its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedAccumulator {
    reduction: Reduction,
    waiting_weights: Vec<f64>,
    on_host: Option<JsonFloat>,
    weight: f64,
    /// Of one with values after the log's last mark.
    #[serde(default)]
    before: Option<Before>,
}

impl SavedAccumulator {
    pub(super) fn reduction(&self) -> Reduction {
        self.reduction
    }
}

const WAITING: &str = "waiting";
const REDUCED: &str = "reduced";

impl Accumulator {
    pub(super) fn saved(&self, mark: u64) -> SavedAccumulator {
        SavedAccumulator {
            reduction: self.reduction,
            waiting_weights: self.waiting_weights.clone(),
            on_host: self.on_host.map(JsonFloat),
            weight: self.weight,
            before: self.before.clone().filter(|before| before.mark == mark),
        }
    }

    /// The state on the device: values that are not reduced yet, `[values]`, and the result of earlier reductions, `[]`.
    pub(super) fn tensors(&self) -> Result<BTreeMap<String, Tensor>, TchError> {
        let mut tensors = BTreeMap::new();
        if !self.waiting.is_empty() {
            tensors.insert(WAITING.to_owned(), Tensor::f_stack(&self.waiting, 0)?);
        }
        if let Some(reduced) = &self.on_device {
            tensors.insert(REDUCED.to_owned(), reduced.shallow_clone());
        }
        Ok(tensors)
    }

    /// The accumulator that was saved. Values that were yet to be reduced still are, so that they are reduced together with the
    /// same others.
    pub(super) fn restored(saved: &SavedAccumulator, tensors: &BTreeMap<String, Tensor>) -> Result<Self, TchError> {
        // older checkpoints have values in the dtypes in which they were logged
        let unbind = |waiting: &Tensor| waiting.f_to_kind(widest(waiting.device()))?.f_unbind(0);
        let waiting = tensors.get(WAITING).map_or(Ok(Vec::new()), unbind)?;
        Ok(Self {
            reduction: saved.reduction,
            waiting,
            waiting_weights: saved.waiting_weights.clone(),
            on_device: tensors.get(REDUCED).map(Tensor::shallow_clone),
            on_host: saved.on_host.map(|JsonFloat(number)| number),
            weight: saved.weight,
            before: saved.before.clone(),
        })
    }
}

impl Reduction {
    /// Two partial results; those of a mean are weighted sums.
    pub(super) fn of_two(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Mean | Self::Sum => one + other,
            // as in libtorch, and unlike in `f64::min`, a NaN is the result
            _ if one.is_nan() || other.is_nan() => f64::NAN,
            Self::Min => one.min(other),
            Self::Max => one.max(other),
        }
    }

    fn of_two_tensors(self, one: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Mean | Self::Sum => one.f_add(other),
            Self::Min => one.f_minimum(other),
            Self::Max => one.f_maximum(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(reduction: Reduction, values: &[(f64, f64)]) -> f64 {
        let mut accumulator = Accumulator::new(reduction);
        for (mark, (value, weight)) in values.iter().enumerate() {
            accumulator.add(&Scalar::Tensor(Tensor::from(*value)), *weight, mark as u64).unwrap();
        }
        accumulator.value().unwrap().unwrap()
    }

    #[test]
    fn mean_is_weighted_with_the_batch_sizes() {
        // (1·2 + 4·1) / 3
        assert_eq!(reduced(Reduction::Mean, &[(1.0, 2.0), (4.0, 1.0)]), 2.0);
    }

    #[test]
    fn values_beyond_one_chunk_are_all_counted() {
        let values: Vec<(f64, f64)> = (0..200).map(|n| (f64::from(n), 1.0)).collect();
        assert_eq!(reduced(Reduction::Sum, &values), 19_900.0);
        assert_eq!(reduced(Reduction::Mean, &values), 99.5);
        assert_eq!(reduced(Reduction::Max, &values), 199.0);
        assert_eq!(reduced(Reduction::Min, &values), 0.0);
    }

    #[test]
    fn numbers_and_tensors_can_be_mixed() {
        let mut accumulator = Accumulator::new(Reduction::Mean);
        accumulator.add(&Scalar::Number(1.0), 1.0, 0).unwrap();
        accumulator.add(&Scalar::Tensor(Tensor::from(3.0)), 3.0, 0).unwrap();
        assert_eq!(accumulator.value().unwrap(), Some(2.5));
        accumulator.reset();
        assert_eq!(accumulator.value().unwrap(), None);
    }

    #[test]
    fn values_added_after_a_mark_are_rolled_back() {
        let add = |accumulator: &mut Accumulator, values: std::ops::Range<u32>, mark| {
            for value in values.map(f64::from) {
                accumulator.add(&Scalar::Number(value), 1.0, mark).unwrap();
                accumulator.add(&Scalar::Tensor(Tensor::from(value)), 2.0, mark).unwrap();
            }
        };
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::Min, Reduction::Max] {
            // 100 are more than a chunk: they stay apart until the next mark
            for (kept, taken_back) in [(0..0, 0..3), (5..8, 0..100), (1..100, 0..300)] {
                let mut accumulator = Accumulator::new(reduction);
                add(&mut accumulator, kept.clone(), 1);
                let before = accumulator.value().unwrap();
                add(&mut accumulator, taken_back, 2);
                accumulator.go_back(3);
                assert_ne!(accumulator.value().unwrap(), before, "nothing was added after the mark 3");
                accumulator.go_back(2);
                assert_eq!(accumulator.value().unwrap(), before, "{reduction:?} of {kept:?}");
            }
        }
    }
}
