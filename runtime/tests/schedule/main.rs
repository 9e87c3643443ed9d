//! Tests of learning-rate schedulers: rates against PyTorch's, the saved state, and errors.

mod added_groups;
mod errors;
mod parity;
mod serialized;
mod state;
mod table;
