//! Classification metrics.

mod accuracy;
mod average;
mod calibration_error;
mod cohen_kappa;
mod confusion_matrix;
mod curve;
mod decisions;
mod dice_score;
mod f1_score;
mod inputs;
mod jaccard_index;
mod labelwise;
mod matthews_corr_coef;
mod pairs;
mod precision;
mod probabilities;
mod recall;
mod specificity;
mod stat_scores;
mod task;

pub use accuracy::Accuracy;
pub use average::Average;
pub use calibration_error::{CalibrationError, CalibrationNorm};
pub use cohen_kappa::{CohenKappa, KappaWeights};
pub use confusion_matrix::{ConfusionMatrix, Normalize};
pub use curve::{Auroc, AveragePrecision, Thresholds};
pub use dice_score::{AggregationLevel, DiceScore};
pub use f1_score::F1Score;
pub use jaccard_index::JaccardIndex;
pub use matthews_corr_coef::MatthewsCorrCoef;
pub use precision::Precision;
pub use recall::Recall;
pub use specificity::Specificity;
pub use task::{Averaged, Binary, Multiclass, Multilabel, Task, Thresholded};

/// Implements the constructors of a metric for the tasks in which every element has one class, and its common options.
macro_rules! classifies_exclusively {
    ($metric:ident, $formula:expr) => {
        impl $metric<$crate::metrics::Binary> {
            /// Creates a metric of two classes, 0 and 1.
            pub fn binary() -> Self {
                use $crate::metrics::{classification::inputs::Inputs, shared::Shared};
                Self(Shared::new($formula(Inputs::binary())))
            }
        }

        impl $metric<$crate::metrics::Multiclass> {
            /// Creates a metric of this number of classes, 2 or more, of which every element has one.
            pub fn multiclass(num_classes: i64) -> Self {
                use $crate::metrics::{classification::inputs::Inputs, shared::Shared};
                Self(Shared::new($formula(Inputs::multiclass(num_classes))))
            }
        }

        impl<T: $crate::metrics::Task> $metric<T> {
            /// Skips elements whose target is this number, which need not be a class. Default: none.
            pub fn ignore_index(self, ignore_index: i64) -> Self {
                Self(self.0.with(|formula| formula.inputs.ignore_index = Some(ignore_index)))
            }
        }

        $crate::metrics::handle::compares!($metric<T: $crate::metrics::Task>);
    };
}

/// Implements the constructors of a metric for each task, and its common options.
macro_rules! classifies {
    ($metric:ident, $formula:expr) => {
        $crate::metrics::classification::classifies_exclusively!($metric, $formula);

        impl $metric<$crate::metrics::Multilabel> {
            /// Creates a metric of this number of labels, 2 or more, of which every element may have any.
            pub fn multilabel(num_labels: i64) -> Self {
                use $crate::metrics::{classification::inputs::Inputs, shared::Shared};
                Self(Shared::new($formula(Inputs::multilabel(num_labels))))
            }
        }
    };
}

/// Implements the setter of the threshold.
macro_rules! decides {
    ($metric:ident) => {
        impl<T: $crate::metrics::Thresholded> $metric<T> {
            /// Sets the probability, from 0 to 1, above which a label is predicted. Default 0.5.
            pub fn threshold(self, threshold: f64) -> Self {
                Self(self.0.with(|formula| formula.inputs.threshold = threshold))
            }
        }
    };
}

/// Implements the setter of the average.
macro_rules! averages {
    ($metric:ident, $default:literal) => {
        impl<T: $crate::metrics::Averaged> $metric<T> {
            /// Sets the average over classes.
            #[doc = concat!("Default [`", $default, "`](crate::metrics::Average::", $default, ").")]
            pub fn average(self, average: $crate::metrics::Average) -> Self {
                Self(self.0.with(|formula| formula.average = average))
            }
        }
    };
}

use {averages, classifies, classifies_exclusively, decides};
