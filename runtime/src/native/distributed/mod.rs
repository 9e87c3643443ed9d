//! PyTorch's distributed engine, c10d: the store, collectives and the reduction of gradients.

mod declarations;
mod flags;
mod mismatch;
mod nccl;
mod process_group;
mod reducer;
mod store;

pub(crate) use declarations::{Compared, Flags, ReducerOptions};
pub(crate) use mismatch::on_mismatch;
pub(crate) use nccl::nccl_library;
pub(crate) use process_group::{Network, ProcessGroup, ReduceOperation, close_at_end};
pub(crate) use reducer::Reducer;
pub(crate) use store::Store;

use std::ffi::CString;
use std::time::Duration;

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).expect("the zero bytes are taken out")
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
