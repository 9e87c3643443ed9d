//! What the tests and the programs beside them share.

pub mod book;
pub mod faults;
pub mod parity;
pub mod profiler;
pub mod pseudo_terminal;
pub mod python;
pub mod resume;
pub mod tensors;
pub mod warnings;
