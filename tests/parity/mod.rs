//! Cases of training that PyTorch Lightning was run on, run here: every hook in order, every logged row, the final weights.
//!
//! `fixtures/parity/README.md` gives the form of a case and of a trace. All of it is an ordinary use of the library.

mod callback;
mod case;
mod compare;
mod events;
mod module;
mod recorder;
mod recording;
mod rows;
mod trace;

pub use case::Case;
pub use compare::difference;
pub use trace::{trace, trace_in};
