//! Saving and loading L-BFGS's state, under PyTorch's names.

use tch::{Device, Kind, TchError, Tensor};

use super::course::{Course, Move};
use super::flat::{Flat, numbers};
use super::machine::{Machine, Phase};
use crate::optim::state::{Saved, entry_name, not_started};

/// What is counted from the first evaluation on.
const COUNTS: [&str; 2] = ["func_evals", "n_iter"];
/// The course, which begins with the first iteration.
const COURSE: [&str; 8] = ["d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss"];

/// The tensors of a state, in the order of their names above.
pub(in crate::optim) struct State {
    counts: [Tensor; 2],
    course: Option<[Tensor; 8]>,
}

impl State {
    /// Takes a state from what was saved; what does not fit is noted there.
    pub(in crate::optim) fn take(saved: &mut Saved, parameters: &[(String, Tensor)]) -> Self {
        let (first, _) = &parameters[0];
        let elements = Flat(parameters).elements();
        let counts = COUNTS.map(|slot| saved.take(first, slot, |_| (Vec::new(), Kind::Int64)));
        // as many moves in all slots as in the first that has them
        let mut moves = None;
        let course = COURSE.map(|slot| {
            saved.take(first, slot, |found| {
                let moves = match slot {
                    "old_dirs" | "old_stps" | "ro" => {
                        *moves.get_or_insert_with(|| found.first().copied().unwrap_or_default())
                    }
                    _ => 0,
                };
                (expected(slot, elements, moves), Kind::Double)
            })
        });
        let has_begun = course[0].is_some();
        Self {
            counts: counts.map(|count| count.unwrap_or_else(|| Tensor::from(0i64))),
            course: has_begun.then(|| course.map(|tensor| tensor.unwrap_or_else(not_started))),
        }
    }

    /// The tensors with their names, under that of a parameter.
    pub(in crate::optim) fn named(self, parameter: &str) -> Vec<(String, Tensor)> {
        let names = COUNTS.into_iter().chain(COURSE).map(|slot| entry_name(parameter, slot));
        let course = self.course.unwrap_or_else(|| COURSE.map(|_| not_started()));
        names.zip(self.counts.into_iter().chain(course)).collect()
    }
}

/// The shape that a slot of the course has.
fn expected(slot: &str, elements: i64, moves: i64) -> Vec<i64> {
    match slot {
        "d" | "prev_flat_grad" => vec![elements],
        "old_dirs" | "old_stps" => vec![moves, elements],
        "ro" => vec![moves],
        _ => Vec::new(),
    }
}

impl Machine {
    /// The live state; `None` within a step.
    pub(in crate::optim) fn state(&self) -> Result<Option<State>, TchError> {
        let Phase::Between(course) = &self.phase else {
            return Ok(None);
        };
        let counts = [self.func_evals, self.n_iter].map(Tensor::from);
        Ok(Some(State { counts, course: course.as_ref().map(Course::tensors).transpose()? }))
    }

    /// A machine that goes on from a copy of the state.
    pub(in crate::optim) fn resume(state: &State, parameters: &[(String, Tensor)]) -> Result<Self, TchError> {
        let [func_evals, n_iter] = state.counts.each_ref().map(|count| numbers([count.shallow_clone()]));
        let like = Flat(parameters).zeros()?;
        let course = state.course.as_ref().map(|tensors| Course::from_tensors(tensors, &like)).transpose()?;
        Ok(Self { func_evals: func_evals?[0] as i64, n_iter: n_iter?[0] as i64, phase: Phase::Between(course) })
    }
}

impl Course {
    /// The tensors of the slots in `COURSE`; numbers in f64.
    fn tensors(&self) -> Result<[Tensor; 8], TchError> {
        let products: Vec<f64> = self.moves.iter().map(|known| known.inverse_product).collect();
        let stacked = |part: fn(&Move) -> &Tensor| match self.moves.is_empty() {
            true => self.direction.f_unsqueeze(0)?.f_narrow(0, 0, 0),
            false => Tensor::f_stack(&self.moves.iter().map(part).collect::<Vec<_>>(), 0),
        };
        Ok([
            self.direction.shallow_clone(),
            Tensor::from(self.length),
            stacked(|known| &known.change)?,
            stacked(|known| &known.by)?,
            Tensor::from_slice(&products),
            Tensor::from(self.scale),
            self.gradient.shallow_clone(),
            Tensor::from(self.loss),
        ])
    }

    fn from_tensors(tensors: &[Tensor; 8], like: &Tensor) -> Result<Self, TchError> {
        let own = |tensor: &Tensor| tensor.f_detach_copy()?.f_to_device(like.device())?.f_to_kind(like.kind());
        // the order in which a product of two vectors is added up depends on where in memory they begin
        let rows = |tensor: &Tensor| -> Result<Vec<Tensor>, TchError> {
            own(tensor)?.f_unbind(0)?.iter().map(Tensor::f_detach_copy).collect()
        };
        let number = |tensor: &Tensor| numbers([tensor.shallow_clone()]).map(|[number]| number);
        let [direction, length, changes, moves, products, scale, gradient, loss] = tensors;
        let (direction, gradient) = (own(direction)?, own(gradient)?);
        let products = Vec::<f64>::try_from(products.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)?;
        let known = rows(changes)?.into_iter().zip(rows(moves)?).zip(products);
        let moves = known.map(|((change, by), inverse_product)| Move { by, change, inverse_product }).collect();
        let [slope, largest] = numbers([gradient.f_dot(&direction)?, direction.f_abs()?.f_max()?])?;
        let (length, scale, loss) = (number(length)?, number(scale)?, number(loss)?);
        Ok(Self { direction, largest, slope, length, gradient, loss, scale, moves })
    }
}
