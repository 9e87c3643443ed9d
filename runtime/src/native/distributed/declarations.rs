//! The boundary to c10d: the entry points of `store.cpp`, `process_group.cpp`, `mismatch.cpp`, `reducer.cpp` and `nccl/backend.cpp`, under the rules of the other
//! [`declarations`](super::super::declarations).

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use torch_sys::C_tensor;

/// `lightning::Store` in `native/process_group.h`.
#[repr(C)]
pub(super) struct CStore {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::ProcessGroup` in `native/process_group.h`.
#[repr(C)]
pub(super) struct CProcessGroup {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::GpuBackend` in `native/process_group.h`.
#[repr(C)]
pub(super) struct CGpuBackend {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning_new_gpu_backend` in `native/nccl/backend.cpp`, which is in a library that is opened at run time.
pub(super) type NewGpuBackend = unsafe extern "C" fn(
    store: *const CStore,
    prefix: *const c_char,
    rank: u32,
    size: u32,
    timeout_ms: u64,
    backend: *mut *mut CGpuBackend,
) -> *mut c_char;

/// `lightning::Reducer` in `native/reducer.cpp`.
#[repr(C)]
pub(super) struct CReducer {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// How a reducer works: arguments of
/// [`DistributedDataParallel`](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html).
#[repr(C)]
pub(crate) struct ReducerOptions {
    pub(crate) find_unused_parameters: bool,
    pub(crate) gradient_as_bucket_view: bool,
    pub(crate) static_graph: bool,
    /// Whether flags are sent apart from the gradients.
    pub(crate) separate_flags: bool,
    /// The `c10::ScalarType` in which gradients are sent; negative for their own.
    pub(crate) compression: i8,
    /// The size of a bucket.
    pub(crate) bucket_bytes: usize,
}

/// The bytes of a number with their squares, whose averages over all ranks show whether all have the same number.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Compared {
    pub(super) low: f64,
    pub(super) low_squared: f64,
    pub(super) high: f64,
    pub(super) high_squared: f64,
}

/// What a rank sends to the others with the gradients of a step, and after it the averages over all ranks. All fields are `f64`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Flags {
    /// 1 if the rank has caught an interrupt.
    pub(crate) interrupt: f64,
    /// 1 if the rank has caught a request to terminate.
    pub(crate) terminate: f64,
    /// 1 if the rank is to stop training.
    pub(crate) stops: f64,
    /// A number for the names that the step logged with `sync_dist`.
    pub(crate) names: Compared,
    /// The bits of the observer's requests; 0 without an observer, which only rank 0 has.
    pub(crate) requests: f64,
}

// store.cpp
unsafe extern "C" {
    pub(super) fn lightning_store_new(
        host: *const c_char,
        port: u32,
        is_server: bool,
        timeout_ms: u64,
        store: *mut *mut CStore,
    ) -> *mut c_char;
    pub(super) fn lightning_store_port(store: *const CStore) -> u32;
    pub(super) fn lightning_store_set(
        store: *mut CStore,
        key: *const c_char,
        value: *const c_char,
        length: usize,
    ) -> *mut c_char;
    pub(super) fn lightning_store_set_first(
        store: *mut CStore,
        key: *const c_char,
        value: *const c_char,
        length: usize,
    ) -> *mut c_char;
    pub(super) fn lightning_store_get(
        store: *mut CStore,
        key: *const c_char,
        timeout_ms: u64,
        take: unsafe extern "C" fn(*mut c_void, *const c_char, usize),
        taker: *mut c_void,
    ) -> *mut c_char;
    pub(super) fn lightning_store_free(store: *mut CStore);
}

// process_group.cpp
unsafe extern "C" {
    pub(super) fn lightning_process_group_new(
        store: *const CStore,
        prefix: *const c_char,
        rank: u32,
        size: u32,
        timeout_ms: u64,
        interface: *const c_char,
        address: *const c_char,
        group: *mut *mut CProcessGroup,
    ) -> *mut c_char;
    pub(super) fn lightning_all_reduce(
        group: *const CProcessGroup,
        tensor: *const C_tensor,
        operation: i8,
    ) -> *mut c_char;
    pub(super) fn lightning_sum_of_ranks(
        group: *const CProcessGroup,
        tensor: *const C_tensor,
        sum: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_broadcast(
        group: *const CProcessGroup,
        tensors: *const *const C_tensor,
        count: usize,
        source: u32,
    ) -> *mut c_char;
    pub(super) fn lightning_all_gather(
        group: *const CProcessGroup,
        tensor: *const C_tensor,
        gathered: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_barrier(group: *const CProcessGroup, timeout_ms: u64) -> *mut c_char;
    pub(super) fn lightning_process_group_add_gpus(group: *mut CProcessGroup, backend: *mut CGpuBackend)
    -> *mut c_char;
    pub(super) fn lightning_process_group_end_gpus(group: *const CProcessGroup, has_failed: bool) -> *mut c_char;
    pub(super) fn lightning_process_group_close(group: *const CProcessGroup) -> *mut c_char;
    pub(super) fn lightning_process_group_free(group: *mut CProcessGroup);
}

// mismatch.cpp
unsafe extern "C" {
    pub(super) fn lightning_on_mismatch(report: unsafe extern "C" fn(*const c_char));
}

// reducer.cpp
unsafe extern "C" {
    pub(super) fn lightning_reducer_new(
        group: *const CProcessGroup,
        names: *const *const c_char,
        parameters: *const *const C_tensor,
        count: usize,
        order: *const i64,
        ordered: usize,
        options: *const ReducerOptions,
        reducer: *mut *mut CReducer,
    ) -> *mut c_char;
    pub(super) fn lightning_reducer_order(
        reducer: *const CReducer,
        order: *mut i64,
        ordered: *mut usize,
    ) -> *mut c_char;
    pub(super) fn lightning_reducer_prepare(
        reducer: *mut CReducer,
        outputs: *const *const C_tensor,
        count: usize,
    ) -> *mut c_char;
    pub(super) fn lightning_reducer_finish(reducer: *mut CReducer, flags: *mut Flags) -> *mut c_char;
    pub(super) fn lightning_reducer_contribute_zeros(reducer: *mut CReducer) -> *mut c_char;
    pub(super) fn lightning_reducer_free(reducer: *mut CReducer) -> *mut c_char;
}
