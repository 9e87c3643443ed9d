//! Optimizers against PyTorch's numbers, their saved state, and what they say of mistakes.

mod clipping;
mod mistakes;
mod parity;
mod state;
mod table;
