//! The callbacks that a trainer has of its own.

mod early_stopping;
mod gradient_accumulation_scheduler;
mod learning_rate_monitor;
mod model_checkpoint;
mod model_summary;
mod monitor;
mod progress_bar;
mod timer;

pub use early_stopping::{EarlyStopping, StoppingReason};
pub use gradient_accumulation_scheduler::GradientAccumulationScheduler;
pub use learning_rate_monitor::LearningRateMonitor;
pub use model_checkpoint::{ModelCheckpoint, SaveLast};
pub use model_summary::ModelSummary;
pub use monitor::{MonitorMode, NotLogged};
pub use progress_bar::ProgressBar;
pub use timer::Timer;
