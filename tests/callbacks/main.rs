//! The trainer's callbacks against PyTorch Lightning's.
#![allow(missing_docs)]

mod gradient_accumulation_scheduler;
mod learning_rate_monitor;
mod model;
mod recorder;
mod table;
mod timer;
