//! The safe face of `native/`, our C++ over what libtorch has and tch does not bind. All of the crate's `unsafe` is here.

mod boundary;
mod device;
mod group;
mod lerp;
mod library;
mod message;
mod system;
mod tensor;

pub(crate) use boundary::NativeError;
pub(crate) use device::{memory_stats, synchronize};
pub(crate) use group::{AdamOptions, Group, SgdOptions};
pub(crate) use lerp::lerp;
pub(crate) use library::{loaded_libtorch, open_library};
pub(crate) use message::without_backtrace;
pub use system::libtorch_version;
pub(crate) use tensor::TensorIdentity;
