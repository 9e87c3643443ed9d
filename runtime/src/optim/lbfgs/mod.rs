//! L-BFGS. It evaluates the loss several times per step. As the optimizer cannot borrow a closure of the module for this, a step
//! is a state machine that is advanced by one evaluation at a time.

mod direction;
mod flat;
mod saved_state;
mod state;
mod strong_wolfe;

pub(super) use saved_state::SavedState;
pub(super) use state::LbfgsState;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, NativeError};

algorithm! {
    /// L-BFGS: [`torch.optim.LBFGS`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.LBFGS.html), a quasi-Newton
    /// method for small models and full batches.
    ///
    /// A step consists of up to `max_iter` iterations, each of which requires the loss and the gradients at another point.
    /// [`step_on`](crate::optim::Optimizer::step_on) therefore pairs the parameters and returns whether they must be evaluated
    /// again:
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
    /// Each evaluation waits for the device and reads some numbers on the host. The state has the size of
    /// `2 * history_size + 2` copies of the parameters, all of which must be on the same device and in one group. A missing
    /// gradient counts as zeros.
    ///
    /// [Liu and Nocedal, *On the limited memory BFGS method for large scale optimization*](https://doi.org/10.1007/BF01589116).
    pub struct Lbfgs("LBFGS") {
        /// Learning rate, 0 or more: the length of an iteration, or the initial length of the line search. Default 1.
        lr: f64 where finite_non_negative = 1.0,
        /// The maximum number of iterations per step, 1 or more. Default 20.
        max_iter: usize where positive = 20,
        /// The maximum number of evaluations per step. Default `None`: 1.25 times `max_iter`.
        max_eval: Option<usize> = None,
        /// A step ends when no element of the gradient is larger in absolute value. Default 1e-7.
        tolerance_grad: f64 where finite = 1e-7,
        /// A step ends when neither the loss nor any parameter changes by more. Default 1e-9.
        tolerance_change: f64 where finite = 1e-9,
        /// The number of iterations from which the curvature is approximated, 1 or more. Default 100.
        history_size: usize where positive = 100,
        /// The line search, PyTorch's `line_search_fn`. Default `None`: the length is the learning rate.
        line_search: Option<LineSearch> = None,
    }
}

/// The method by which [`Lbfgs`] finds the length of an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineSearch {
    /// A length that satisfies the strong Wolfe conditions, with `c1` = 1e-4 for the decrease of the loss and `c2` = 0.9 for
    /// its slope: PyTorch's `strong_wolfe`.
    ///
    /// Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6.
    StrongWolfe,
}

/// The result of an evaluation: whether the step needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// The parameters were moved. Drop the gradients, evaluate the loss and the gradients again, and call
    /// [`step_on`](crate::optim::Optimizer::step_on) with the new loss.
    Again,
    /// The step is done.
    Done,
}

impl Lbfgs {
    /// `max_eval`, or its default.
    fn most_evaluations(&self) -> usize {
        // n + n/4 is 5n/4, rounded down, without an overflow
        self.max_eval.unwrap_or(self.max_iter.saturating_add(self.max_iter / 4))
    }
}

impl Rule for Lbfgs {
    /// None, as [`LbfgsState`] is the state of all parameters together.
    fn slots(&self) -> &'static [Slot] {
        &[]
    }

    fn step(&self, _: &mut Group, _: Option<&Tensor>) -> Result<(), NativeError> {
        unreachable!("an optimizer with L-BFGS steps by its `LbfgsState`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_evaluations_is_a_quarter_more_than_max_iter() {
        for (max_iter, most) in [(0, 0), (1, 1), (3, 3), (4, 5), (7, 8), (20, 25), (usize::MAX, usize::MAX)] {
            assert_eq!(Lbfgs::new(1.0).max_iter(max_iter).most_evaluations(), most);
        }
        assert_eq!(Lbfgs::new(1.0).max_eval(Some(3)).most_evaluations(), 3);
    }
}
