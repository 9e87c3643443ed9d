//! Learning-rate schedulers against PyTorch's numbers, their saved state, and what they say of mistakes.

mod added_groups;
mod mistakes;
mod parity;
mod serialized;
mod state;
mod table;
