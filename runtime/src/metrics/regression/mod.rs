//! Metrics of numbers: of regressions, and of the pixels of images.

mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_error;
mod mean_squared_error;
mod outputs;
mod peak_signal_noise_ratio;
mod pearson_corr_coef;
mod r2_score;
mod spearman_corr_coef;
mod structural_similarity;

pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_squared_error::MeanSquaredError;
pub use peak_signal_noise_ratio::PeakSignalNoiseRatio;
pub use pearson_corr_coef::PearsonCorrCoef;
pub use r2_score::{MultiOutput, R2Score};
pub use spearman_corr_coef::SpearmanCorrCoef;
pub use structural_similarity::StructuralSimilarityIndexMeasure;
