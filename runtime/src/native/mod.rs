//! Safe functions over `native/`, our C++ for the parts of libtorch that tch does not bind. All of the crate's `unsafe` is here.
//!
//! [`declarations`] lists what crosses the boundary.

mod anomaly;
mod aot_inductor;
mod at_exit;
mod autocast;
mod backend;
mod boundary;
mod computation_trace;
mod declarations;
mod descriptors;
mod device;
mod distributed;
mod draws;
mod event;
mod filled;
mod flops;
mod gradients;
mod graph;
mod group;
mod layers;
mod lerp;
mod library;
mod loss;
mod mapped_file;
mod message;
mod norms;
mod random;
mod record;
#[cfg(feature = "dashboard")]
mod screen_guard;
mod signal;
mod steps;
mod stream;
mod system;
mod tensor;
mod threads;
mod trace;

pub(crate) use anomaly::AnomalyMode;
pub(crate) use aot_inductor::CompiledModel;
pub(crate) use at_exit::{at_exit, continue_at_end_of_parent, exit_at_once, skip_static_destructors};
pub(crate) use autocast::{Autocast, AutocastDtype};
pub(crate) use backend::{exchange_benchmark_cudnn, exchange_float32_matmul_precision, set_deterministic_algorithms};
pub use boundary::NativeError;
pub(crate) use computation_trace::{ComputationTrace, Inputs, UnreadInputs};
pub(crate) use descriptors::{Descriptors, Sockets};
pub(crate) use device::{empty_cache, memory_stats, set_current_device, synchronize};
pub(crate) use distributed::{
    Compared, Flags, Network, ProcessGroup, ReduceOperation, Reducer, ReducerOptions, Store, close_at_end,
    nccl_library, on_mismatch,
};
pub(crate) use draws::{initial_seed, prepare_draws, seed_draws, with_draws};
pub(crate) use event::DeviceEvent;
pub use filled::Filling;
pub(crate) use filled::filled;
pub(crate) use flops::FlopCounter;
pub(crate) use gradients::Gradients;
pub(crate) use graph::leaves;
pub(crate) use group::Group;
pub(crate) use layers::{LayerObserver, ObservedLayer};
pub(crate) use lerp::lerp;
pub(crate) use library::{cuda_driver_is_present, loaded_libtorch, open_libtorch_cuda};
pub(crate) use loss::{keep_loss, read_scalar};
pub(crate) use mapped_file::MappedFile;
pub(crate) use message::{readable, without_backtrace};
pub(crate) use norms::{norms, norms_of_differences};
pub(crate) use random::RandomState;
pub(crate) use record::Record;
#[cfg(feature = "dashboard")]
pub(crate) use screen_guard::{
    Redirected, guard_screen, is_ending, restore_screen, restore_screen_at_end, set_drained, stop_process,
    takes_continuation, takes_stop,
};
pub(crate) use signal::{Disposition, disposition};
pub(crate) use steps::{
    AdadeltaOptions, AdafactorOptions, AdagradOptions, AdamOptions, AdamaxOptions, LionOptions, MuonOptions,
    NAdamOptions, RAdamOptions, RmsPropOptions, SgdOptions,
};
pub(crate) use stream::{Stream, pin_memory, record_on_current_stream};
pub use system::libtorch_version;
pub(crate) use tensor::{TensorIdentity, detach, forget_graph, set_gradient};
pub(crate) use threads::use_one_intraop_thread;
pub(crate) use trace::{OperatorTrace, TracedOperators, steady_nanos};
