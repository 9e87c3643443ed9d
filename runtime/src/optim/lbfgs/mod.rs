//! L-BFGS. It evaluates the loss several times a step, which a closure of the module's can't be lent for: a step is
//! therefore a machine that is asked on with one evaluation after the other.

mod course;
mod flat;
mod machine;
mod state;
mod strong_wolfe;

pub(super) use machine::Machine;
pub(super) use state::State;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, NativeError};

algorithm! {
    /// L-BFGS, as [`torch.optim.LBFGS`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.LBFGS.html): a
    /// quasi-Newton method, for small models and full batches.
    ///
    /// A step is up to `max_iter` iterations, each of which needs the loss and the gradients at another point. Hence it is
    /// taken with [`step_on`](crate::optim::Optimizer::step_on), which moves the parameters and says whether they must be
    /// evaluated again:
    ///
    /// ```
    /// use tch::{Kind, Tensor};
    /// use tch_lightning::optim::{Lbfgs, LineSearch, Optimizer, Progress};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Rosenbrock's function, whose minimum is at (1, 1)
    /// let point = Tensor::from_slice(&[-1.5f64, 2.0]).set_requires_grad(true);
    /// let rosenbrock = || {
    ///     let (x, y) = (point.get(0), point.get(1));
    ///     (&x - 1.0).square() + (&y - x.square()).square() * 100.0
    /// };
    ///
    /// let lbfgs = Lbfgs::new(1.0).max_iter(100).line_search(Some(LineSearch::StrongWolfe));
    /// let mut optimizer = Optimizer::new(lbfgs, vec![("point".to_owned(), point.shallow_clone())])?;
    /// loop {
    ///     optimizer.zero_grad()?;
    ///     let loss = rosenbrock();
    ///     loss.f_backward()?;
    ///     if optimizer.step_on(Some(&loss))? == Progress::Done {
    ///         break;
    ///     }
    /// }
    ///
    /// assert!((point - 1.0).abs().max().double_value(&[]) < 1e-4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It decides by numbers, so each evaluation waits for the device and reads some of them on the host. It keeps
    /// `2 * history_size + 2` copies of the parameters, all of which must be on one device, and has no parameter groups.
    /// Parameters without a gradient are taken to have a gradient of zeros.
    ///
    /// [Liu and Nocedal, *On the limited memory BFGS method for large scale optimization*](https://doi.org/10.1007/BF01589116).
    pub struct Lbfgs("LBFGS") {
        /// Learning rate, 0 or more: the length of an iteration's move, or where the line search begins. Default 1.
        lr: f64 where non_negative = 1.0,
        /// The most iterations of a step. Default 20.
        max_iter: usize = 20,
        /// The most evaluations of a step. Default `None`: one and a quarter times `max_iter`.
        max_eval: Option<usize> = None,
        /// A step ends when no element of the gradient is larger. Default 1e-7.
        tolerance_grad: f64 = 1e-7,
        /// A step ends when neither the loss nor any parameter changes by more. Default 1e-9.
        tolerance_change: f64 = 1e-9,
        /// How many moves the approximation of the curvature is made from, 1 or more. Default 100.
        history_size: usize where positive = 100,
        /// How the length of a move is found; PyTorch's `line_search_fn`. Default `None`: it is the learning rate.
        line_search: Option<LineSearch> = None,
    }
}

/// How [`Lbfgs`] finds the length of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineSearch {
    /// A length that meets the strong Wolfe conditions: the loss falls enough (`c1` of 1e-4), and its slope is gone for
    /// the most part (`c2` of 0.9). PyTorch's `strong_wolfe`.
    ///
    /// Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6.
    StrongWolfe,
}

/// What is left of a step after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// The parameters were moved: drop the gradients, evaluate the loss and the gradients again, and ask on with them.
    Again,
    /// The step is done.
    Done,
}

impl Lbfgs {
    /// `max_eval`, or its default.
    fn most_evaluations(&self) -> usize {
        // a quarter more without an overflow: 5n/4, rounded down, is n + n/4
        self.max_eval.unwrap_or(self.max_iter.saturating_add(self.max_iter / 4))
    }
}

impl Rule for Lbfgs {
    /// None: the [`Machine`] keeps its state for all parameters together.
    fn slots(&self) -> &'static [Slot] {
        &[]
    }

    fn step(&self, _: &mut Group, _: Option<&Tensor>) -> Result<(), NativeError> {
        unreachable!("an optimizer with L-BFGS has its machine, and steps with that")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_quarter_more_evaluations_than_iterations() {
        for (max_iter, most) in [(0, 0), (1, 1), (3, 3), (4, 5), (7, 8), (20, 25), (usize::MAX, usize::MAX)] {
            assert_eq!(Lbfgs::new(1.0).max_iter(max_iter).most_evaluations(), most);
        }
        assert_eq!(Lbfgs::new(1.0).max_eval(Some(3)).most_evaluations(), 3);
    }
}
