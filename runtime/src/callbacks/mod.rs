//! The callbacks that a trainer has of its own.

mod model_summary;
mod progress_bar;

pub use model_summary::ModelSummary;
pub use progress_bar::ProgressBar;
