//! Optimizers against PyTorch's numbers, their saved state, and what they say of mistakes.

mod clipping;
mod groups;
mod lbfgs;
mod mistakes;
mod parity;
mod scaling;
mod state;
mod table;
