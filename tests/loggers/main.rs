//! The loggers, and what other programs read of what they wrote.
#![allow(missing_docs)]

mod gradients;
mod json_lines;
mod media;
mod mlflow;
mod model;
mod tensorboard;
mod wandb;
