//! Metrics, accumulated over batches on their device. Names, defaults and values are those of
//! [torchmetrics](https://lightning.ai/docs/torchmetrics/stable/) 1.9.
//!
//! | | |
//! |---|---|
//! | of any values | [`Mean`], [`Sum`], [`Min`], [`Max`] |
//! | of classes | [`Accuracy`], [`Precision`], [`Recall`], [`F1Score`], [`ConfusionMatrix`] |
//! | of scores of classes | [`Auroc`], [`AveragePrecision`] |
//! | of numbers | [`MeanSquaredError`], [`MeanAbsoluteError`], [`R2Score`] |
//! | of tokens | [`Perplexity`] |
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
mod error;
mod handle;
mod inputs;
mod labels;
mod metric;
mod perplexity;
mod ratio;
mod regression;
mod shared;
mod slot;

pub use aggregation::{Max, Mean, Min, Sum};
pub use classification::{
    Accuracy, Auroc, Average, AveragePrecision, Averaged, Binary, ConfusionMatrix, F1Score, Multiclass, Multilabel,
    Normalize, Precision, Recall, Task, Thresholded, Thresholds,
};
pub use error::MetricError;
pub use metric::{DistReduceFx, Metric};
pub use perplexity::Perplexity;
pub use regression::{MeanAbsoluteError, MeanSquaredError, MultiOutput, R2Score};
