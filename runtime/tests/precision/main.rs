//! Tests the trainer's precisions against reference values of PyTorch, and their effects on a step.

mod model;
mod operators;
mod scaler;
mod steps;
mod table;
mod training;
