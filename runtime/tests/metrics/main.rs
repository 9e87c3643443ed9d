//! Tests metrics: their values against torchmetrics, their state, their errors, and that an update does not read values.

mod errors;
mod no_host_read;
mod parity;
mod state;
mod table;
mod texts;
