//! The built-in callbacks.

mod averaged_weights;
mod backbone_finetuning;
mod device_stats_monitor;
mod early_stopping;
mod exponential_moving_average;
mod gradient_accumulation_scheduler;
mod lambda_callback;
mod learning_rate_monitor;
mod model_checkpoint;
mod model_summary;
mod monitor;
mod on_exception_checkpoint;
mod progress_bar;
mod stochastic_weight_averaging;
mod throughput_monitor;
mod timer;
mod write_predictions;

pub use backbone_finetuning::BackboneFinetuning;
pub use device_stats_monitor::DeviceStatsMonitor;
pub use early_stopping::{EarlyStopping, StoppingReason};
pub use exponential_moving_average::ExponentialMovingAverage;
pub use gradient_accumulation_scheduler::GradientAccumulationScheduler;
pub use lambda_callback::{LambdaCallback, LambdaReturn};
pub use learning_rate_monitor::LearningRateMonitor;
pub(crate) use model_checkpoint::SavedBest;
pub use model_checkpoint::{ModelCheckpoint, SaveLast};
pub use model_summary::ModelSummary;
pub(crate) use monitor::warn_of_misspellings;
pub use monitor::{MonitorMode, NotLogged};
pub use on_exception_checkpoint::OnExceptionCheckpoint;
pub use progress_bar::ProgressBar;
pub use stochastic_weight_averaging::{EpochStart, StochasticWeightAveraging};
pub use throughput_monitor::{Throughput, ThroughputMonitor, ThroughputTotals};
pub use timer::Timer;
pub use write_predictions::{PredictionWriter, WriteInterval, WritePredictions};
