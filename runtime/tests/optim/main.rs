//! Tests of optimizers: trajectories against PyTorch's, the saved state, and errors.

mod clipping;
mod errors;
mod groups;
mod lbfgs;
mod parity;
mod scaling;
mod shapes;
mod state;
mod table;
