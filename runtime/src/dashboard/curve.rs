//! The points of a metric, a bounded number of them.

/// The number of points that are kept: more than a terminal has columns of dots.
const MOST_POINTS: usize = 4096;

/// The finite values of a metric by step. Of many values, every second, fourth, … is kept, so that a long run does not fill the memory.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    points: Vec<(f64, f64)>,
    /// One value of this number is kept.
    every: usize,
    /// The values since the last one that was kept.
    skipped: usize,
    last: f64,
}

impl Curve {
    pub(super) fn new() -> Self {
        Self { points: Vec::new(), every: 1, skipped: 0, last: f64::NAN }
    }

    pub(super) fn add(&mut self, step: f64, value: f64) {
        self.last = value;
        if !value.is_finite() || !step.is_finite() {
            return;
        }
        // the last point is always the newest value
        if self.skipped > 0 {
            self.points.pop();
        }
        self.points.push((step, value));
        self.skipped = (self.skipped + 1) % self.every;
        if self.points.len() >= MOST_POINTS && self.skipped == 0 {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.every *= 2;
        }
    }

    /// The points that are drawn, in the order in which they were logged.
    pub(super) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The last value, which may be NaN or infinite.
    pub(super) fn last(&self) -> f64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_keeps_a_bounded_number_of_points_with_the_newest() {
        let mut curve = Curve::new();
        for step in 0..100_001 {
            curve.add(f64::from(step), f64::from(step) * 2.0);
            assert_eq!(curve.points().last(), Some(&(f64::from(step), f64::from(step) * 2.0)));
            assert!(curve.points().len() <= MOST_POINTS);
        }
        assert!(curve.points().len() > MOST_POINTS / 4);
        assert!(curve.points().is_sorted_by(|one, other| one.0 < other.0));
        curve.add(100_001.0, f64::NAN);
        assert!(curve.last().is_nan() && curve.points().iter().all(|(_, value)| value.is_finite()));
    }
}
