use super::declarations::Compared;

impl Compared {
    pub(crate) fn new(number: u16) -> Self {
        let [low, high] = number.to_le_bytes().map(f64::from);
        Self { low, low_squared: low * low, high, high_squared: high * high }
    }

    /// Whether the ranks have different numbers, of which these are the averages: numbers are equal if the mean of their squares is the
    /// square of their mean.
    pub(crate) fn differs(&self) -> bool {
        let differ = |mean: f64, squared: f64| squared - mean * mean > 1e-6 * squared;
        differ(self.low, self.low_squared) || differ(self.high, self.high_squared)
    }
}
