//! The safe face of `native/`, our C++ over what libtorch has and tch does not bind. All of the crate's `unsafe` is here.

mod boundary;
mod gradients;
mod group;
mod library;
mod message;
mod steps;
mod system;
mod tensor;

pub(crate) use boundary::NativeError;
pub(crate) use gradients::Gradients;
pub(crate) use group::Group;
pub(crate) use library::{loaded_libtorch, open_library};
pub(crate) use message::without_backtrace;
pub(crate) use steps::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamaxOptions, NAdamOptions, RAdamOptions, RmsPropOptions, SgdOptions,
};
pub use system::libtorch_version;
pub(crate) use tensor::TensorIdentity;
