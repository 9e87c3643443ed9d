use std::mem;

use tch::{TchError, Tensor};

use super::course::Course;
use super::flat::{Flat, numbers};
use super::strong_wolfe::{Evaluation, Next, Point, Search};
use super::{Lbfgs, LineSearch, Progress};

/// L-BFGS between two evaluations.
#[derive(Debug, Default)]
pub(in crate::optim) struct Machine {
    /// Evaluations so far, over all steps.
    pub(super) func_evals: i64,
    /// Iterations so far, over all steps.
    pub(super) n_iter: i64,
    pub(super) phase: Phase,
}

/// What the next evaluation is for.
#[derive(Debug)]
pub(super) enum Phase {
    /// To begin a step, on the course of the last one where there was one.
    Between(Option<Course>),
    /// To go on from where the parameters were moved.
    Moved(Step),
    /// To go on along a line that begins at these values.
    Searching(Step, Box<Search>, Vec<Tensor>),
}

/// A step under way.
#[derive(Debug)]
pub(super) struct Step {
    course: Course,
    iterations: usize,
    evaluations: usize,
}

impl Default for Phase {
    fn default() -> Self {
        Self::Between(None)
    }
}

impl Machine {
    /// Takes the loss and the gradients where the parameters are, and moves them. A failure ends the step, and loses its
    /// course.
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
            let phase = mem::take(&mut self.phase);
            self.phase = Stepping { options, parameters, n_iter: &mut self.n_iter }.next(phase, found)?;
            Ok(if matches!(self.phase, Phase::Between(_)) { Progress::Done } else { Progress::Again })
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
    fn next(&mut self, phase: Phase, found: Evaluation) -> Result<Phase, TchError> {
        match phase {
            Phase::Between(course) if found.largest <= self.options.tolerance_grad || self.options.max_iter == 0 => {
                Ok(Phase::Between(course))
            }
            Phase::Between(course) => self.iterate(course, 0, 1, found),
            Phase::Moved(mut step) => {
                step.evaluations += 1;
                self.conclude(step, found)
            }
            Phase::Searching(mut step, search, values) => {
                step.evaluations += 1;
                self.search(step, *search, values, found)
            }
        }
    }

    /// Turns into a new direction, and moves along it.
    fn iterate(
        &mut self,
        course: Option<Course>,
        iterations: usize,
        evaluations: usize,
        found: Evaluation,
    ) -> Result<Phase, TchError> {
        *self.n_iter += 1;
        let course = match course {
            Some(course) => course.turned(&found, self.options)?,
            None => Course::downhill(&found, self.options)?,
        };
        if course.slope > -self.options.tolerance_change {
            return Ok(Phase::Between(Some(course)));
        }
        let step = Step { course, iterations: iterations + 1, evaluations };
        let Some(LineSearch::StrongWolfe) = self.options.line_search else {
            self.parameters.add(&step.course.by()?)?;
            let last = step.iterations == self.options.max_iter;
            return Ok(if last { Phase::Between(Some(step.course)) } else { Phase::Moved(step) });
        };
        let values = self.parameters.values()?;
        self.parameters.add(&step.course.by()?)?;
        let start = Point { length: 0.0, slope: step.course.slope, evaluation: found };
        let most = self.options.most_evaluations().saturating_sub(evaluations);
        let search = Search::new(start, step.course.largest, step.course.length, most);
        Ok(Phase::Searching(step, Box::new(search), values))
    }

    fn search(
        &mut self,
        mut step: Step,
        search: Search,
        values: Vec<Tensor>,
        found: Evaluation,
    ) -> Result<Phase, TchError> {
        let [slope] = numbers([found.gradient.f_dot(&step.course.direction)?])?;
        let next = search.next(slope, found);
        step.course.length = match &next {
            Next::Try(search) => search.length,
            Next::Accept(point) => point.length,
        };
        self.parameters.set(&values)?;
        self.parameters.add(&step.course.by()?)?;
        match next {
            Next::Try(search) => Ok(Phase::Searching(step, Box::new(search), values)),
            Next::Accept(point) => self.conclude(step, point.evaluation),
        }
    }

    /// Ends an iteration with the evaluation where it led, and the step with it if that is good enough.
    fn conclude(&mut self, step: Step, found: Evaluation) -> Result<Phase, TchError> {
        let Step { course, iterations, evaluations } = step;
        let options = self.options;
        let done = iterations == options.max_iter
            || evaluations >= options.most_evaluations()
            || found.largest <= options.tolerance_grad
            || course.largest * course.length.abs() <= options.tolerance_change
            || (found.loss - course.loss).abs() < options.tolerance_change;
        if done { Ok(Phase::Between(Some(course))) } else { self.iterate(Some(course), iterations, evaluations, found) }
    }
}
