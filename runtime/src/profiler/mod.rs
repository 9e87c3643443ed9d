//! Where the time of a run goes.
//!
//! [`TrainerConfig::profiler`](field@crate::TrainerConfig::profiler) chooses a [`Profiler`]: [`Profiler::Simple`] ends a run with a table of
//! its actions, and [`Profiler::Trace`] writes a trace of a few steps with every operator of libtorch. An action is a call of a hook, a
//! part of the loops such as waiting for a batch, or a region of the user's own, [`ctx.profile`](crate::Context::profile).
//!
//! Times are those of the host. On a GPU, an operator's time is that of its launch: the device computes later, and a profiler does not
//! wait for it, as that would change what it measures. The time of the device appears where the host waits for it, such as in
//! `write_logs`. For actions that compute on the device, [`Profiler::Simple`] also measures the time of a CUDA device, by events.
//!
//! [`count_operators`] counts the operators that some code calls, and [`count_flops`] their floating-point operations;
//! [`observe_layers`] returns the layers of a module that were called, with the shapes of their inputs and outputs.

mod action;
mod advice;
mod choice;
mod device_times;
mod hook_calls;
mod layers;
mod operators;
mod recorder;
mod schedule;
mod shares;
mod times;
mod trace;

pub(crate) use action::short_type_name;
pub(crate) use action::{HookOwner, Region};
pub use choice::Profiler;
pub(crate) use layers::StepObservation;
pub use layers::{LayerCall, ObservedStep, observe_layers};
pub use operators::{count_flops, count_operators};
pub(crate) use recorder::{OpenAction, Recorder};
pub use schedule::TraceSchedule;
pub use times::ActionTime;
pub(crate) use trace::FinishedTrace;
