//! Metrics of classes.

mod accuracy;
mod average;
mod confusion_matrix;
mod curve;
mod decisions;
mod f1_score;
mod labelwise;
mod precision;
mod probabilities;
mod reading;
mod recall;
mod stat_scores;
mod task;

pub use accuracy::Accuracy;
pub use average::Average;
pub use confusion_matrix::{ConfusionMatrix, Normalize};
pub use curve::{Auroc, AveragePrecision, Thresholds};
pub use f1_score::F1Score;
pub use precision::Precision;
pub use recall::Recall;
pub use task::{Averaged, Binary, Multiclass, Multilabel, Task, Thresholded};

/// The constructors by task of a metric, with the formula that each has, and what all of them have in common.
macro_rules! classifies {
    ($metric:ident, $formula:expr) => {
        impl $metric<$crate::metrics::Binary> {
            /// Of two classes, 0 and 1.
            pub fn binary() -> Self {
                use $crate::metrics::{classification::reading::Reading, shared::Shared};
                Self(Shared::new($formula(Reading::binary())))
            }
        }

        impl $metric<$crate::metrics::Multiclass> {
            /// Of this number of classes, 2 or more, of which every element has one.
            pub fn multiclass(num_classes: i64) -> Self {
                use $crate::metrics::{classification::reading::Reading, shared::Shared};
                Self(Shared::new($formula(Reading::multiclass(num_classes))))
            }
        }

        impl $metric<$crate::metrics::Multilabel> {
            /// Of this number of labels, 2 or more, of which every element may have any.
            pub fn multilabel(num_labels: i64) -> Self {
                use $crate::metrics::{classification::reading::Reading, shared::Shared};
                Self(Shared::new($formula(Reading::multilabel(num_labels))))
            }
        }

        impl<T: $crate::metrics::Task> $metric<T> {
            /// Leaves out the elements whose target is this, be it a class or another number. Default: none.
            pub fn ignore_index(self, ignore_index: i64) -> Self {
                Self(self.0.with(|formula| formula.reading.ignore_index = Some(ignore_index)))
            }
        }

        $crate::metrics::handle::compares!($metric<T: $crate::metrics::Task>);
    };
}

/// The setter of a metric that decides by a threshold.
macro_rules! decides {
    ($metric:ident) => {
        impl<T: $crate::metrics::Thresholded> $metric<T> {
            /// Sets the probability, from 0 to 1, above which a label is predicted. Default 0.5.
            pub fn threshold(self, threshold: f64) -> Self {
                Self(self.0.with(|formula| formula.reading.threshold = threshold))
            }
        }
    };
}

/// The setter of a metric that has a value for each class.
macro_rules! averages {
    ($metric:ident, $default:literal) => {
        impl<T: $crate::metrics::Averaged> $metric<T> {
            /// Chooses how the values of classes become one.
            #[doc = concat!("Default [`", $default, "`](crate::metrics::Average::", $default, ").")]
            pub fn average(self, average: $crate::metrics::Average) -> Self {
                Self(self.0.with(|formula| formula.average = average))
            }
        }
    };
}

use {averages, classifies, decides};
