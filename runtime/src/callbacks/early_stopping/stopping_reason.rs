//! What a value of the metric means for the run.

use super::EarlyStopping;
use crate::callbacks::monitor::MonitorMode;
use crate::counted::counted;
use serde::{Deserialize, Serialize};

/// The reason for which [`EarlyStopping`] ended training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StoppingReason {
    /// The metric was better than `stopping_threshold`.
    StoppingThreshold,
    /// The metric was worse than `divergence_threshold`.
    DivergenceThreshold,
    /// The metric did not improve for `patience` checks.
    PatienceExhausted,
    /// The metric was not finite.
    NonFiniteMetric,
}

impl EarlyStopping {
    /// Returns the reason to end training at this value, if any. Values are compared in single precision, in which Lightning
    /// stores logged values, so that the same values are equal.
    pub(super) fn judge(&mut self, current: f64) -> Option<StoppingReason> {
        let single = |value: f64| f64::from(value as f32);
        let (mode, current) = (self.mode, single(current));
        let best = self.state.best_score.unwrap_or(mode.worst());
        let margin = if mode == MonitorMode::Min { self.min_delta } else { -self.min_delta };
        if self.check_finite && !current.is_finite() {
            Some(StoppingReason::NonFiniteMetric)
        } else if self.stopping_threshold.is_some_and(|threshold| mode.is_better(current, single(threshold))) {
            Some(StoppingReason::StoppingThreshold)
        } else if self.divergence_threshold.is_some_and(|threshold| mode.is_better(single(threshold), current)) {
            Some(StoppingReason::DivergenceThreshold)
        } else if mode.is_better(single(current + single(margin)), best) {
            self.state.best_score = Some(current);
            self.state.wait_count = 0;
            None
        } else {
            self.state.wait_count = self.state.wait_count.saturating_add(1);
            (self.state.wait_count >= self.patience).then_some(StoppingReason::PatienceExhausted)
        }
    }

    pub(super) fn sentence(&self, reason: StoppingReason, current: f64) -> String {
        let monitor = &self.monitor;
        let why = match reason {
            StoppingReason::NonFiniteMetric => format!("`{monitor}` is {current}"),
            StoppingReason::StoppingThreshold => {
                format!("`{monitor}` is {current:.4}, better than `stopping_threshold`")
            }
            StoppingReason::DivergenceThreshold => {
                format!("`{monitor}` is {current:.4}, worse than `divergence_threshold`")
            }
            StoppingReason::PatienceExhausted => {
                let checks = counted(self.state.wait_count, "check");
                match self.state.best_score {
                    Some(best) => format!("`{monitor}` did not improve in {checks}; its best was {best:.4}"),
                    None => format!("`{monitor}` had no finite value in {checks}"),
                }
            }
        };
        format!("EarlyStopping: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(mut stopping: EarlyStopping, values: &[f64]) -> Vec<Option<StoppingReason>> {
        values.iter().map(|value| stopping.judge(*value)).collect()
    }

    #[test]
    fn patience_counts_checks_without_an_improvement() {
        use StoppingReason::PatienceExhausted;
        let stopping = EarlyStopping::new("loss").patience(2);
        assert_eq!(judged(stopping, &[1.0, 0.9, 0.95, 0.96]), [None, None, None, Some(PatienceExhausted)]);
        let stopping = EarlyStopping::new("acc").patience(1).mode(MonitorMode::Max).min_delta(0.1);
        assert_eq!(judged(stopping, &[0.5, 0.7, 0.75]), [None, None, Some(PatienceExhausted)]);
    }

    #[test]
    fn thresholds_and_non_finite_values_end_training_at_once() {
        let stopping = EarlyStopping::new("loss").stopping_threshold(0.1).divergence_threshold(10.0);
        let reasons = judged(stopping, &[1.0, f64::NAN, 11.0, 0.05]);
        let expected = [
            None,
            Some(StoppingReason::NonFiniteMetric),
            Some(StoppingReason::DivergenceThreshold),
            Some(StoppingReason::StoppingThreshold),
        ];
        assert_eq!(reasons, expected);
    }
}
