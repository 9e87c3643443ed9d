//! Metrics against torchmetrics' numbers, their state, what they say of mistakes, and that an update reads no value.

mod errors;
mod no_host_read;
mod parity;
mod state;
mod table;
