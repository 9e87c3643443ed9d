//! The trainer's precisions against PyTorch's numbers, and what each of them does to a step.

mod model;
mod operators;
mod scaler;
mod steps;
mod table;
mod training;
