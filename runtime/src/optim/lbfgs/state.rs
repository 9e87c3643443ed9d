use std::mem;

use tch::{TchError, Tensor};

use super::direction::Direction;
use super::flat::{Flat, numbers};
use super::strong_wolfe::{Evaluation, Next, Point, Search};
use super::{Lbfgs, LineSearch, Progress};

/// The state of L-BFGS between two evaluations.
#[derive(Debug, Default)]
pub(in crate::optim) struct LbfgsState {
    /// The number of evaluations so far, over all steps.
    pub(super) func_evals: i64,
    /// The number of iterations so far, over all steps.
    pub(super) n_iter: i64,
    pub(super) progress: StepProgress,
}

/// The progress of a step, which determines the purpose of the next evaluation.
#[derive(Debug)]
pub(super) enum StepProgress {
    /// No step has been started. The direction is that of the last step, if there was one.
    Between(Option<Direction>),
    /// The parameters have been moved along the direction.
    Moved(Step),
    /// The parameters have been moved along a line that starts at these values.
    Searching(Step, Box<Search>, Vec<Tensor>),
}

/// A step that has been started.
#[derive(Debug)]
pub(super) struct Step {
    direction: Direction,
    iterations: usize,
    evaluations: usize,
}

impl Default for StepProgress {
    fn default() -> Self {
        Self::Between(None)
    }
}

impl LbfgsState {
    /// Advances a step by the loss and the gradients of the current parameters, which it then pairs. An error ends the step and
    /// drops its direction.
    pub(in crate::optim) fn step(
        &mut self,
        options: &Lbfgs,
        parameters: &[(String, Tensor)],
        loss: &Tensor,
    ) -> Result<Progress, TchError> {
        let parameters = Flat(parameters);
        tch::no_grad(|| {
            let found = evaluation(parameters, loss)?;
            self.func_evals += 1;
            let progress = mem::take(&mut self.progress);
            self.progress = Stepping { options, parameters, n_iter: &mut self.n_iter }.next(progress, found)?;
            Ok(if matches!(self.progress, StepProgress::Between(_)) { Progress::Done } else { Progress::Again })
        })
    }
}

fn evaluation(parameters: Flat<'_>, loss: &Tensor) -> Result<Evaluation, TchError> {
    let gradient = parameters.gradient()?;
    let loss = loss.f_detach()?.f_to_device(gradient.device())?;
    let [loss, largest] = numbers([loss, gradient.f_abs()?.f_max()?])?;
    Ok(Evaluation { loss, gradient, largest })
}

struct Stepping<'a> {
    options: &'a Lbfgs,
    parameters: Flat<'a>,
    n_iter: &'a mut i64,
}

impl Stepping<'_> {
    fn next(&mut self, progress: StepProgress, found: Evaluation) -> Result<StepProgress, TchError> {
        match progress {
            StepProgress::Between(direction)
                if found.largest <= self.options.tolerance_grad || self.options.max_iter == 0 =>
            {
                Ok(StepProgress::Between(direction))
            }
            StepProgress::Between(direction) => self.iterate(direction, 0, 1, found),
            StepProgress::Moved(mut step) => {
                step.evaluations += 1;
                self.conclude(step, found)
            }
            StepProgress::Searching(mut step, search, values) => {
                step.evaluations += 1;
                self.search(step, *search, values, found)
            }
        }
    }

    /// Starts an iteration: computes a new direction, and pairs the parameters along it.
    fn iterate(
        &mut self,
        direction: Option<Direction>,
        iterations: usize,
        evaluations: usize,
        found: Evaluation,
    ) -> Result<StepProgress, TchError> {
        *self.n_iter += 1;
        let direction = match direction {
            Some(direction) => direction.next(&found, self.options)?,
            None => Direction::steepest_descent(&found, self.options)?,
        };
        if direction.slope > -self.options.tolerance_change {
            return Ok(StepProgress::Between(Some(direction)));
        }
        let step = Step { direction, iterations: iterations + 1, evaluations };
        let Some(LineSearch::StrongWolfe) = self.options.line_search else {
            self.parameters.add(&step.direction.displacement()?)?;
            let last = step.iterations == self.options.max_iter;
            return Ok(if last { StepProgress::Between(Some(step.direction)) } else { StepProgress::Moved(step) });
        };
        let values = self.parameters.values()?;
        self.parameters.add(&step.direction.displacement()?)?;
        let start = Point { length: 0.0, slope: step.direction.slope, evaluation: found };
        let most = self.options.most_evaluations().saturating_sub(evaluations);
        let search = Search::new(start, step.direction.largest, step.direction.length, most);
        Ok(StepProgress::Searching(step, Box::new(search), values))
    }

    fn search(
        &mut self,
        mut step: Step,
        search: Search,
        values: Vec<Tensor>,
        found: Evaluation,
    ) -> Result<StepProgress, TchError> {
        let [slope] = numbers([found.gradient.f_dot(&step.direction.vector)?])?;
        let next = search.next(slope, found);
        step.direction.length = match &next {
            Next::Try(search) => search.length,
            Next::Accept(point) => point.length,
        };
        self.parameters.set(&values)?;
        self.parameters.add(&step.direction.displacement()?)?;
        match next {
            Next::Try(search) => Ok(StepProgress::Searching(step, Box::new(search), values)),
            Next::Accept(point) => self.conclude(step, point.evaluation),
        }
    }

    /// Ends an iteration with the evaluation at its end, and also the step if a criterion is met.
    fn conclude(&mut self, step: Step, found: Evaluation) -> Result<StepProgress, TchError> {
        let Step { direction, iterations, evaluations } = step;
        let options = self.options;
        let done = iterations == options.max_iter
            || evaluations >= options.most_evaluations()
            || found.largest <= options.tolerance_grad
            || direction.largest * direction.length.abs() <= options.tolerance_change
            || (found.loss - direction.loss).abs() < options.tolerance_change;
        if done {
            Ok(StepProgress::Between(Some(direction)))
        } else {
            self.iterate(Some(direction), iterations, evaluations, found)
        }
    }
}
