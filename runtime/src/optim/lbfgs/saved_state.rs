//! Saving and loading of L-BFGS's state, under PyTorch's names.

use tch::{Device, Kind, TchError, Tensor};

use super::direction::{CurvaturePair, Direction};
use super::flat::{Flat, numbers};
use super::state::{LbfgsState, StepProgress};
use crate::optim::state::{Saved, entry_name, not_started};

/// The slots of the counters, which exist from the first evaluation on.
const COUNTS: [&str; 2] = ["func_evals", "n_iter"];
/// The slots of the direction, which exist from the first iteration on.
const DIRECTION: [&str; 8] = ["d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss"];

/// The tensors of a saved state, in the order of the slots above.
pub(in crate::optim) struct SavedState {
    counts: [Tensor; 2],
    direction: Option<[Tensor; 8]>,
}

impl SavedState {
    /// Takes the tensors from `saved`, which records what does not fit.
    pub(in crate::optim) fn take(saved: &mut Saved, parameters: &[(String, Tensor)]) -> Self {
        let (first, _) = &parameters[0];
        let elements = Flat(parameters).elements();
        let counts = COUNTS.map(|slot| saved.take(first, slot, |_| (Vec::new(), Kind::Int64)));
        // the number of pairs must be the same in all slots
        let mut pairs = None;
        let direction = DIRECTION.map(|slot| {
            saved.take(first, slot, |found| {
                let pairs = match slot {
                    "old_dirs" | "old_stps" | "ro" => {
                        *pairs.get_or_insert_with(|| found.first().copied().unwrap_or_default())
                    }
                    _ => 0,
                };
                (expected(slot, elements, pairs), Kind::Double)
            })
        });
        let has_begun = direction[0].is_some();
        Self {
            counts: counts.map(|count| count.unwrap_or_else(|| Tensor::from(0i64))),
            direction: has_begun.then(|| direction.map(|tensor| tensor.unwrap_or_else(not_started))),
        }
    }

    /// Returns the tensors with their names, under that of a parameter.
    pub(in crate::optim) fn named(self, parameter: &str) -> Vec<(String, Tensor)> {
        let names = COUNTS.into_iter().chain(DIRECTION).map(|slot| entry_name(parameter, slot));
        let direction = self.direction.unwrap_or_else(|| DIRECTION.map(|_| not_started()));
        names.zip(self.counts.into_iter().chain(direction)).collect()
    }
}

/// Returns the expected shape of a slot of the direction.
fn expected(slot: &str, elements: i64, pairs: i64) -> Vec<i64> {
    match slot {
        "d" | "prev_flat_grad" => vec![elements],
        "old_dirs" | "old_stps" => vec![pairs, elements],
        "ro" => vec![pairs],
        _ => Vec::new(),
    }
}

impl LbfgsState {
    /// Returns the tensors of this state; `None` within a step.
    pub(in crate::optim) fn state(&self) -> Result<Option<SavedState>, TchError> {
        let StepProgress::Between(direction) = &self.progress else {
            return Ok(None);
        };
        let counts = [self.func_evals, self.n_iter].map(Tensor::from);
        Ok(Some(SavedState { counts, direction: direction.as_ref().map(Direction::tensors).transpose()? }))
    }

    /// Creates a state from a copy of saved tensors.
    pub(in crate::optim) fn resume(state: &SavedState, parameters: &[(String, Tensor)]) -> Result<Self, TchError> {
        let [func_evals, n_iter] = state.counts.each_ref().map(|count| numbers([count.shallow_clone()]));
        let like = Flat(parameters).zeros()?;
        let direction = state.direction.as_ref().map(|tensors| Direction::from_tensors(tensors, &like)).transpose()?;
        Ok(Self {
            func_evals: func_evals?[0] as i64,
            n_iter: n_iter?[0] as i64,
            progress: StepProgress::Between(direction),
        })
    }
}

impl Direction {
    /// Returns the tensors of the slots in `DIRECTION`; numbers are f64.
    fn tensors(&self) -> Result<[Tensor; 8], TchError> {
        let products: Vec<f64> = self.pairs.iter().map(|pair| pair.inverse_product).collect();
        let stacked = |part: fn(&CurvaturePair) -> &Tensor| match self.pairs.is_empty() {
            true => self.vector.f_unsqueeze(0)?.f_narrow(0, 0, 0),
            false => Tensor::f_stack(&self.pairs.iter().map(part).collect::<Vec<_>>(), 0),
        };
        Ok([
            self.vector.shallow_clone(),
            Tensor::from(self.length),
            stacked(|pair| &pair.gradient_change)?,
            stacked(|pair| &pair.displacement)?,
            Tensor::from_slice(&products),
            Tensor::from(self.scale),
            self.gradient.shallow_clone(),
            Tensor::from(self.loss),
        ])
    }

    fn from_tensors(tensors: &[Tensor; 8], like: &Tensor) -> Result<Self, TchError> {
        let own = |tensor: &Tensor| tensor.f_detach_copy()?.f_to_device(like.device())?.f_to_kind(like.kind());
        // the order of the additions in a dot product depends on the alignment of the vectors
        let rows = |tensor: &Tensor| -> Result<Vec<Tensor>, TchError> {
            own(tensor)?.f_unbind(0)?.iter().map(Tensor::f_detach_copy).collect()
        };
        let number = |tensor: &Tensor| numbers([tensor.shallow_clone()]).map(|[number]| number);
        let [vector, length, gradient_changes, displacements, products, scale, gradient, loss] = tensors;
        let (vector, gradient) = (own(vector)?, own(gradient)?);
        let products = Vec::<f64>::try_from(products.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)?;
        let rows = rows(gradient_changes)?.into_iter().zip(rows(displacements)?).zip(products);
        let pairs = rows.map(|((gradient_change, displacement), inverse_product)| CurvaturePair {
            displacement,
            gradient_change,
            inverse_product,
        });
        let [slope, largest] = numbers([gradient.f_dot(&vector)?, vector.f_abs()?.f_max()?])?;
        let (length, scale, loss) = (number(length)?, number(scale)?, number(loss)?);
        Ok(Self { vector, largest, slope, length, gradient, loss, scale, pairs: pairs.collect() })
    }
}
