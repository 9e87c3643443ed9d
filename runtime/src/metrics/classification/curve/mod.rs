//! Areas under curves over all thresholds of a score.

mod area;
mod auroc;
mod average_precision;
mod points;
mod thresholds;

pub use auroc::Auroc;
pub use average_precision::AveragePrecision;
pub use thresholds::Thresholds;

/// A metric that is an area, with its options.
macro_rules! curve_area {
    ($metric:ident, $curve:expr) => {
        $crate::metrics::classification::classifies!($metric, Area::of($curve));
        $crate::metrics::classification::averages!($metric, "Macro");

        impl<T: $crate::metrics::Task> $metric<T> {
            /// Uses only these thresholds, and keeps counts instead of scores. By default, every score is a threshold.
            pub fn thresholds(self, thresholds: impl Into<$crate::metrics::Thresholds>) -> Self {
                let thresholds = thresholds.into();
                Self(self.0.with(|formula| formula.thresholds = Some(thresholds)))
            }
        }
    };
}

use curve_area;
