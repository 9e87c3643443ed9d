//! The trainer's callbacks against PyTorch Lightning's.
#![allow(missing_docs)]

mod backbone_finetuning;
mod batch_size_finder;
mod device_stats_monitor;
mod done_again;
mod exponential_moving_average;
mod gradient_accumulation_scheduler;
mod gradient_monitor;
mod lambda_callback;
mod learning_rate_finder;
mod learning_rate_monitor;
mod model;
mod on_exception_checkpoint;
mod recorder;
mod restore_best;
mod stochastic_weight_averaging;
mod table;
mod throughput_monitor;
mod timer;
mod write_predictions;
