//! Metrics, accumulated over batches on their device. Names, defaults and values are those of
//! [torchmetrics](https://lightning.ai/docs/torchmetrics/stable/) 1.9.
//!
//! | | |
//! |---|---|
//! | of any values | [`Mean`], [`Sum`], [`Min`], [`Max`] |
//! | of classes | [`Accuracy`], [`Precision`], [`Recall`], [`Specificity`], [`F1Score`], [`JaccardIndex`], [`MatthewsCorrCoef`], [`CohenKappa`], [`ConfusionMatrix`] |
//! | of scores of classes | [`Auroc`], [`AveragePrecision`], [`CalibrationError`] |
//! | of numbers | [`MeanSquaredError`], [`MeanAbsoluteError`], [`MeanAbsolutePercentageError`], [`R2Score`], [`PearsonCorrCoef`], [`SpearmanCorrCoef`] |
//! | of images | [`JaccardIndex`] and [`DiceScore`] of their pixels' classes, [`PeakSignalNoiseRatio`], [`StructuralSimilarityIndexMeasure`] |
//! | of tokens and texts | [`Perplexity`], [`WordErrorRate`], [`CharErrorRate`], [`BleuScore`], [`RougeScore`] |
//! | several of the same predictions | [`MetricCollection`] |
//!
//! A metric is a cheap handle: its clones share one state. `update` adds a batch without waiting for the device, `forward`
//! also returns the value of that batch, [`Metric::compute`] returns the value over all batches, and [`Metric::reset`] removes
//! them. Gradients do not flow through metrics.
//!
//! ```
//! use tch::Tensor;
//! use tch_lightning::metrics::{Accuracy, Metric};
//!
//! let accuracy = Accuracy::multiclass(3);
//!
//! let logits = Tensor::from_slice2(&[[2.0f32, 0.1, -1.0], [0.3, 1.5, 0.2], [0.9, 0.1, 0.8]]);
//! let of_the_batch = accuracy.forward(&logits, &Tensor::from_slice(&[0i64, 1, 2]))?;
//! assert!((of_the_batch.double_value(&[]) - 2.0 / 3.0).abs() < 1e-6);
//!
//! accuracy.update(&logits, &Tensor::from_slice(&[0i64, 1, 0]))?;
//! assert!((accuracy.compute()?.double_value(&[]) - 5.0 / 6.0).abs() < 1e-6);
//! # Ok::<(), tch_lightning::metrics::MetricError>(())
//! ```

mod accumulated;
mod aggregation;
mod classification;
mod collection;
mod error;
mod handle;
mod inputs;
mod labels;
mod metric;
#[doc(hidden)]
pub mod names_of_torchmetrics;
mod ratio;
mod regression;
mod shared;
mod slot;
mod text;

pub use aggregation::{Max, Mean, Min, Sum};
pub use classification::{
    Accuracy, AggregationLevel, Auroc, Average, AveragePrecision, Averaged, Binary, CalibrationError, CalibrationNorm,
    CohenKappa, ConfusionMatrix, DiceScore, F1Score, JaccardIndex, KappaWeights, MatthewsCorrCoef, Multiclass,
    Multilabel, Normalize, Precision, Recall, Specificity, Task, Thresholded, Thresholds,
};
pub use collection::{ComparisonMetric, MetricCollection};
pub use error::MetricError;
pub use metric::{DistReduceFx, Metric};
#[doc(hidden)]
pub use names_of_torchmetrics::*;
pub use regression::{
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MultiOutput, PeakSignalNoiseRatio,
    PearsonCorrCoef, R2Score, SpearmanCorrCoef, StructuralSimilarityIndexMeasure,
};
pub use text::{BleuScore, CharErrorRate, Perplexity, RougeAccumulate, RougeScore, RougeStatistic, WordErrorRate};
