//! Where the time of a run goes: profilers, traces of hooks, and the plan of a run.
#![allow(missing_docs)]

mod hook_calls;
mod plan;
mod simple;
mod trace;
