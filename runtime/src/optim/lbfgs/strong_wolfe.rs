//! The line search for a length that satisfies the strong Wolfe conditions, as `_strong_wolfe` in `torch/optim/lbfgs.py`: the
//! length grows until two of them bracket a suitable one, then the bracket is narrowed.

use tch::Tensor;

/// The required decrease of the loss, as a fraction of that predicted by the slope at the start.
const C1: f64 = 1e-4;
/// The largest remaining slope, as a fraction of that at the start.
const C2: f64 = 0.9;
/// The width of a bracket, as the largest change of a parameter, at which the search ends.
const NARROWEST: f64 = 1e-9;

/// The loss and the gradient at a point.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) loss: f64,
    pub(super) gradient: Tensor,
    /// The largest absolute value of the gradient's elements.
    pub(super) largest: f64,
}

/// A point on the line.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) length: f64,
    /// The derivative along the line.
    pub(super) slope: f64,
    pub(super) evaluation: Evaluation,
}

/// A search that needs the evaluation at `length`.
#[derive(Debug)]
pub(super) struct Search {
    line: Line,
    stage: Stage,
    pub(super) length: f64,
}

#[derive(Debug)]
struct Line {
    start: Point,
    /// The largest absolute value of the direction's elements.
    largest: f64,
    evaluations: usize,
    /// The maximum number of evaluations after the first.
    most: usize,
}

#[derive(Debug)]
enum Stage {
    Growing { previous: Point },
    Narrowing(Bracket),
}

#[derive(Debug)]
struct Bracket {
    ends: [Point; 2],
    low: usize,
    /// The last trial was close to an end.
    stuck: bool,
}

/// The result of an evaluation.
pub(super) enum Next {
    Try(Search),
    Accept(Point),
}

impl Search {
    /// Starts with the length `first`, and evaluates up to `most` times after that.
    pub(super) fn new(start: Point, largest: f64, first: f64, most: usize) -> Self {
        let previous = start.share();
        let line = Line { start, largest, evaluations: 0, most };
        Self { line, stage: Stage::Growing { previous }, length: first }
    }

    pub(super) fn next(mut self, slope: f64, evaluation: Evaluation) -> Next {
        let found = Point { length: self.length, slope, evaluation };
        self.line.evaluations += 1;
        match self.stage {
            Stage::Growing { previous } => self.line.grow(previous, found),
            Stage::Narrowing(bracket) => self.line.narrow(bracket, found),
        }
    }
}

impl Line {
    fn grow(self, previous: Point, found: Point) -> Next {
        if self.is_exhausted() {
            let Self { start, .. } = self;
            return Next::Accept(if start.loss() > found.loss() { found } else { start });
        }
        let rises = self.evaluations > 2 && found.loss() >= previous.loss();
        if rises || !self.falls_enough(&found) {
            return self.bracket(previous, found);
        }
        if self.is_flat_enough(&found) {
            return Next::Accept(found);
        }
        if found.slope >= 0.0 {
            return self.bracket(previous, found);
        }
        let shortest = found.length + 0.01 * (found.length - previous.length);
        let length = cubic_minimum(&previous, &found, shortest, found.length * 10.0);
        Next::Try(Search { line: self, stage: Stage::Growing { previous: found }, length })
    }

    fn bracket(self, first: Point, second: Point) -> Next {
        let ends = [first, second];
        let low = lower(&ends);
        self.probe(Bracket { ends, low, stuck: false })
    }

    fn narrow(self, mut bracket: Bracket, found: Point) -> Next {
        let (low, high) = (bracket.low, 1 - bracket.low);
        if !self.falls_enough(&found) || found.loss() >= bracket.ends[low].loss() {
            bracket.ends[high] = found;
            bracket.low = lower(&bracket.ends);
            return self.probe(bracket);
        }
        if self.is_flat_enough(&found) {
            return Next::Accept(found);
        }
        if found.slope * (bracket.ends[high].length - bracket.ends[low].length) >= 0.0 {
            bracket.ends.swap(low, high);
        }
        bracket.ends[low] = found;
        self.probe(bracket)
    }

    /// Tries a length within the bracket, unless the bracket is narrow enough.
    fn probe(self, mut bracket: Bracket) -> Next {
        let [first, second] = &bracket.ends;
        let (shortest, longest) = (first.length.min(second.length), first.length.max(second.length));
        if self.is_exhausted() || (longest - shortest) * self.largest < NARROWEST {
            let [first, second] = bracket.ends;
            return Next::Accept(if bracket.low == 0 { first } else { second });
        }
        let mut length = cubic_minimum(first, second, shortest, longest);
        let margin = 0.1 * (longest - shortest);
        let close = (longest - length).min(length - shortest) < margin;
        let outside = length >= longest || length <= shortest;
        if close && (bracket.stuck || outside) {
            let nearer_the_longest = (length - longest).abs() < (length - shortest).abs();
            length = if nearer_the_longest { longest - margin } else { shortest + margin };
            bracket.stuck = false;
        } else {
            bracket.stuck = close;
        }
        Next::Try(Search { line: self, stage: Stage::Narrowing(bracket), length })
    }

    fn is_exhausted(&self) -> bool {
        self.evaluations > self.most
    }

    fn falls_enough(&self, found: &Point) -> bool {
        found.loss() <= self.start.loss() + C1 * found.length * self.start.slope
    }

    fn is_flat_enough(&self, found: &Point) -> bool {
        found.slope.abs() <= -C2 * self.start.slope
    }
}

impl Point {
    fn loss(&self) -> f64 {
        self.evaluation.loss
    }

    fn share(&self) -> Self {
        let Evaluation { loss, ref gradient, largest } = self.evaluation;
        Self { evaluation: Evaluation { loss, gradient: gradient.shallow_clone(), largest }, ..*self }
    }
}

/// Returns the index of the point with the lower loss.
fn lower([first, second]: &[Point; 2]) -> usize {
    usize::from(first.loss() > second.loss())
}

/// Returns the minimum of the cubic through two points with their slopes, clamped to two lengths; their midpoint if the cubic
/// has no minimum.
fn cubic_minimum(first: &Point, second: &Point, shortest: f64, longest: f64) -> f64 {
    let (left, right) = if first.length <= second.length { (first, second) } else { (second, first) };
    let width = right.length - left.length;
    let chord = left.slope + right.slope - 3.0 * (left.loss() - right.loss()) / (left.length - right.length);
    let square = chord * chord - left.slope * right.slope;
    if square >= 0.0 {
        let root = square.sqrt();
        let minimum = right.length - width * ((right.slope + root - chord) / (right.slope - left.slope + 2.0 * root));
        minimum.max(shortest).min(longest)
    } else {
        (shortest + longest) / 2.0
    }
}
