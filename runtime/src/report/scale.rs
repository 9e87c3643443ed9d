//! The axes of a chart: from values to coordinates, and which values are labelled.

/// How much larger than the smallest value of an axis the largest one is for its scale to be logarithmic.
const LOGARITHMIC: f64 = 40.0;

/// A linear or logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    /// The coordinates of the ends.
    from: f64,
    to: f64,
    is_log: bool,
}

impl Scale {
    /// Returns the scale that contains all values. With `may_be_log`, positive values that differ by orders of magnitude have a
    /// logarithmic one.
    pub(super) fn of(values: impl Iterator<Item = f64>, (from, to): (f64, f64), may_be_log: bool) -> Self {
        let bounds = values.fold(None, |bounds: Option<(f64, f64)>, value| {
            Some(bounds.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (low, high) = bounds.unwrap_or((0.0, 1.0));
        let is_log = may_be_log && low > 0.0 && high / low >= LOGARITHMIC;
        let (low, high) = match (is_log, low < high) {
            (true, _) => (low, high),
            (false, true) => {
                // halves, as their difference may not be a number
                let margin = if may_be_log { (high / 2.0 - low / 2.0) * 0.08 } else { 0.0 };
                (low - margin, high + margin)
            }
            (false, false) => {
                let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
                (low - margin, low + margin)
            }
        };
        Self { low: low.max(f64::MIN / 4.0), high: high.min(f64::MAX / 4.0), from, to, is_log }
    }

    /// Returns the coordinate of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let of = |value: f64| if self.is_log { value.ln() } else { value };
        let part = (of(value) - of(self.low)) / (of(self.high) - of(self.low));
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    pub(super) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Returns the ends of the axis and their coordinates, for the script of the page.
    pub(super) fn described(&self) -> String {
        format!("{} {} {} {}", self.low, self.high, self.from, self.to)
    }

    /// Returns about as many round values on the axis.
    pub(super) fn ticks(&self, number: usize) -> Vec<f64> {
        if self.is_log { self.log_ticks(number) } else { self.linear_ticks(number) }
    }

    fn linear_ticks(&self, number: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / number as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(rough);
        let first = (self.low / step).ceil();
        let ticks = (0..=2 * number).map(|index| (first + index as f64) * step);
        ticks.take_while(|tick| *tick <= self.high * (1.0 + 1e-12_f64.copysign(self.high))).collect()
    }

    fn log_ticks(&self, number: usize) -> Vec<f64> {
        let (low, high) = (self.low.log10(), self.high.log10());
        let decades = high.floor() - low.ceil();
        let every = (decades / number as f64).ceil().max(1.0);
        let factors: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        let mut exponent = low.floor();
        while exponent <= high {
            let values = factors.iter().map(|factor| factor * 10_f64.powf(exponent));
            ticks.extend(values.filter(|value| (self.low..=self.high).contains(value)));
            exponent += every;
        }
        ticks
    }
}

/// Formats the label of a tick: `0.05`, `1.5k`, `2e-6`.
pub(super) fn tick(value: f64) -> String {
    let magnitude = value.abs();
    let rounded = |value: f64| rounded(value, 4).to_string();
    match magnitude {
        _ if magnitude == 0.0 => "0".to_owned(),
        _ if !(1e-3..1e9).contains(&magnitude) => format!("{:e}", self::rounded(value, 3)),
        _ if magnitude >= 1e6 => format!("{}M", rounded(value / 1e6)),
        _ if magnitude >= 1e4 => format!("{}k", rounded(value / 1e3)),
        _ => rounded(value),
    }
}

/// Formats a value with six significant digits.
pub(super) fn significant(value: f64) -> String {
    let rounded = rounded(value, 6);
    if rounded != 0.0 && rounded.is_finite() && !(1e-4..1e15).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        rounded.to_string()
    }
}

fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_values() {
        let ticks = |values: &[f64], may_be_log| {
            let scale = Scale::of(values.iter().copied(), (0.0, 100.0), may_be_log);
            scale.ticks(4).into_iter().map(tick).collect::<Vec<_>>()
        };
        assert_eq!(ticks(&[0.0, 100.0], false), ["0", "50", "100"]);
        assert_eq!(ticks(&[0.01, 0.09], false), ["0.02", "0.04", "0.06", "0.08"]);
        assert_eq!(ticks(&[1e-6, 1.0], true), ["1e-6", "1e-4", "0.01", "1"]);
        assert_eq!(ticks(&[0.02, 1.5], true), ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(ticks(&[-3.0, -3.0], true), ["-3.2", "-3", "-2.8"]);
        assert!(ticks(&[f64::MIN, f64::MAX], true).len() < 10);
        assert!(!ticks(&[], true).is_empty());
    }

    #[test]
    fn scale_maps_its_ends_to_the_coordinates() {
        let linear = Scale::of([2.0, 4.0].into_iter(), (10.0, 20.0), false);
        assert_eq!([linear.at(2.0), linear.at(3.0), linear.at(4.0)], [10.0, 15.0, 20.0]);
        let log = Scale::of([1.0, 100.0].into_iter(), (0.0, 1.0), true);
        assert!(log.is_log() && (log.at(10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn numbers_have_their_significant_digits() {
        let shown = [0.1 + 0.2, 1.0 / 3.0, 123_456_789.0, 1.5e-7, 0.0].map(significant);
        assert_eq!(shown, ["0.3", "0.333333", "123457000", "1.5e-7", "0"]);
        assert_eq!([1_234.0, 12_345.0, 2_500_000.0].map(tick), ["1234", "12.35k", "2.5M"]);
    }
}
