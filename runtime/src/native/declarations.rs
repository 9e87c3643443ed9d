//! The boundary to `native/*.cpp`: every entry point there, and every struct that crosses.
//!
//! The build script writes these declarations as a C++ header, `declarations.h`, which all C++ files include. Structs are only declared
//! here, and a definition in C++ whose signature differs from the one here does not compile.
//!
//! Entry points that can fail return null, or a message for [`check`](super::boundary::check).

use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use torch_sys::C_tensor;

/// `lightning::Group` in `native/group.h`.
#[repr(C)]
pub(crate) struct CGroup {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::Record` in `native/record.cpp`.
#[repr(C)]
pub(super) struct CRecord {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::LayerObserver` in `native/layers.cpp`.
#[repr(C)]
pub(super) struct CLayerObserver {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::OperatorTrace` in `native/trace.cpp`.
#[repr(C)]
pub(super) struct COperatorTrace {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::ComputationTrace` in `native/computation_trace.cpp`.
#[repr(C)]
pub(super) struct CComputationTrace {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::AotInductorModel` in `native/aot_inductor.cpp`.
#[repr(C)]
pub(super) struct CAotInductorModel {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// `lightning::DeviceEvent` in `native/event.cpp`.
#[repr(C)]
pub(super) struct CDeviceEvent {
    _opaque: [u8; 0],
    _neither_send_nor_sync: PhantomData<*mut u8>,
}

/// The autocast settings of a thread for one type of device.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct AutocastState {
    /// A `c10::ScalarType`.
    pub(super) dtype: i8,
    pub(super) enabled: bool,
    pub(super) cached: bool,
}

// system.cpp
unsafe extern "C" {
    pub(super) fn lightning_free_message(message: *mut c_char);
    pub(super) fn lightning_libtorch_version() -> *const c_char;
}

// group.cpp
unsafe extern "C" {
    pub(super) fn lightning_group_new(
        names: *const *const c_char,
        parameters: *const *const C_tensor,
        count: usize,
        slots: usize,
        group: *mut *mut CGroup,
    ) -> *mut c_char;
    pub(super) fn lightning_group_free(group: *mut CGroup);
    pub(super) fn lightning_group_zero_grad(group: *mut CGroup) -> *mut c_char;
    pub(super) fn lightning_group_saved(
        group: *const CGroup,
        slot: usize,
        member: usize,
        tensor: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_group_load(
        group: *mut CGroup,
        tensors: *const *const C_tensor,
        of_parameter: *const bool,
    ) -> *mut c_char;
}

// gradients.cpp
unsafe extern "C" {
    pub(super) fn lightning_grad_norm(
        groups: *const *const CGroup,
        count: usize,
        norm: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_clip_grad_norm(
        groups: *const *const CGroup,
        count: usize,
        max_norm: f64,
        norm: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_clip_grad_value(groups: *const *const CGroup, count: usize, limit: f64) -> *mut c_char;
    pub(super) fn lightning_unscale_gradients(
        groups: *const *const CGroup,
        count: usize,
        inv_scale: *const C_tensor,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
}

// tensor.cpp
unsafe extern "C" {
    pub(super) fn lightning_tensor_identity(tensor: *const C_tensor) -> *const c_void;
    pub(super) fn lightning_set_gradient(tensor: *const C_tensor, gradient: *const C_tensor) -> *mut c_char;
    pub(super) fn lightning_forget_graph(tensor: *mut C_tensor) -> *mut c_char;
    pub(super) fn lightning_detach(tensor: *const C_tensor, detached: *mut *mut C_tensor) -> *mut c_char;
}

// graph.cpp
unsafe extern "C" {
    pub(super) fn lightning_graph_leaves(
        tensor: *const C_tensor,
        taker: *mut c_void,
        take: unsafe extern "C" fn(*mut c_void, *mut C_tensor),
    ) -> *mut c_char;
}

// loss.cpp
unsafe extern "C" {
    pub(super) fn lightning_read_scalar(tensor: *const C_tensor, value: *mut f64, was_read: *mut bool) -> *mut c_char;
    pub(super) fn lightning_keep_loss(
        loss: *const C_tensor,
        kept: *const C_tensor,
        found: *const C_tensor,
        one: *const C_tensor,
    ) -> *mut c_char;
}

// norms.cpp
unsafe extern "C" {
    pub(super) fn lightning_norms(
        tensors: *const *const C_tensor,
        less: *const *const C_tensor,
        count: usize,
        norms: *mut *mut C_tensor,
    ) -> *mut c_char;
}

// lerp.cpp
unsafe extern "C" {
    pub(super) fn lightning_lerp(
        from: *const *const C_tensor,
        to: *const *const C_tensor,
        count: usize,
        weight: f64,
    ) -> *mut c_char;
}

// autocast.cpp
unsafe extern "C" {
    pub(super) fn lightning_exchange_autocast(
        device_type: i8,
        state: *const AutocastState,
        before: *mut AutocastState,
    ) -> *mut c_char;
}

// backend.cpp
unsafe extern "C" {
    pub(super) fn lightning_set_deterministic_algorithms(enabled: bool, warn_only: bool);
    pub(super) fn lightning_exchange_benchmark_cudnn(enabled: bool) -> bool;
    pub(super) fn lightning_exchange_float32_matmul_precision(
        precision: *const c_char,
        before: *mut c_int,
    ) -> *mut c_char;
}

// anomaly.cpp
unsafe extern "C" {
    pub(super) fn lightning_anomaly_mode() -> bool;
    pub(super) fn lightning_set_anomaly_mode(enabled: bool);
}

// random.cpp
unsafe extern "C" {
    pub(super) fn lightning_random_state(device: c_int, state: *mut *mut C_tensor) -> *mut c_char;
    pub(super) fn lightning_set_random_state(device: c_int, state: *const C_tensor) -> *mut c_char;
}

// draws.cpp
unsafe extern "C" {
    pub(super) fn lightning_prepare_draws() -> *mut c_char;
    pub(super) fn lightning_begin_draws(seed: u64);
    pub(super) fn lightning_end_draws();
    pub(super) fn lightning_seed_draws(seed: u64);
    pub(super) fn lightning_initial_seed(seed: *mut u64) -> *mut c_char;
}

// record.cpp
unsafe extern "C" {
    pub(super) fn lightning_record_start(record: *mut *mut CRecord) -> *mut c_char;
    pub(super) fn lightning_record_visit(
        record: *const CRecord,
        visitor: *mut c_void,
        visit: unsafe extern "C" fn(*mut c_void, *const c_char, u64),
    );
    pub(super) fn lightning_record_stop(record: *mut CRecord);
}

// flops.cpp
unsafe extern "C" {
    pub(super) fn lightning_flops_start() -> *mut c_char;
    pub(super) fn lightning_flops_finish(flops: *mut u64) -> *mut c_char;
}

// layers.cpp
unsafe extern "C" {
    pub(super) fn lightning_layers_start(
        tensors: *const *const C_tensor,
        layers: *const usize,
        count: usize,
        observer: *mut *mut CLayerObserver,
    ) -> *mut c_char;
    pub(super) fn lightning_layers_visit(
        observer: *const CLayerObserver,
        visitor: *mut c_void,
        visit: unsafe extern "C" fn(*mut c_void, usize, *const i64, usize, *const i64, usize, u64, u64),
    );
    pub(super) fn lightning_layers_stop(observer: *mut CLayerObserver);
}

// trace.cpp
unsafe extern "C" {
    pub(super) fn lightning_steady_nanos() -> u64;
    pub(super) fn lightning_thread_number() -> u32;
    pub(super) fn lightning_operator_trace_start(trace: *mut *mut COperatorTrace) -> *mut c_char;
    pub(super) fn lightning_operator_trace_clear(trace: *mut COperatorTrace);
    pub(super) fn lightning_operator_trace_visit(
        trace: *const COperatorTrace,
        visitor: *mut c_void,
        visit_thread: unsafe extern "C" fn(*mut c_void, u32, *const c_char),
        visit: unsafe extern "C" fn(*mut c_void, *const c_char, u64, u64, u32),
    );
    pub(super) fn lightning_operator_trace_stop(trace: *mut COperatorTrace);
}

// computation_trace.cpp
unsafe extern "C" {
    pub(super) fn lightning_computation_trace_start(
        names: *const *const c_char,
        parameters: *const *const C_tensor,
        parameter_count: usize,
        inputs: *const *const C_tensor,
        input_count: usize,
        trace: *mut *mut CComputationTrace,
    ) -> *mut c_char;
    pub(super) fn lightning_computation_trace_has(trace: *const CComputationTrace, tensor: *const C_tensor) -> bool;
    pub(super) fn lightning_computation_trace_save(
        trace: *mut CComputationTrace,
        outputs: *const *const C_tensor,
        count: usize,
        keeps_unread: bool,
        is_read: *mut bool,
        has_fixed_state: *mut bool,
        path: *const c_char,
    ) -> *mut c_char;
    pub(super) fn lightning_computation_trace_end(trace: *mut CComputationTrace);
}

// aot_inductor.cpp
unsafe extern "C" {
    pub(super) fn lightning_empty_libtorch(length: *mut usize) -> *const c_void;
    pub(super) fn lightning_aot_inductor_load(
        folder: *const c_char,
        device_index: i8,
        model: *mut *mut CAotInductorModel,
    ) -> *mut c_char;
    pub(super) fn lightning_aot_inductor_run(
        model: *mut CAotInductorModel,
        inputs: *const *const C_tensor,
        count: usize,
        outputs: *mut c_void,
        push: unsafe extern "C" fn(*mut c_void, *mut C_tensor),
    ) -> *mut c_char;
    pub(super) fn lightning_aot_inductor_free(model: *mut CAotInductorModel);
}

// device.cpp
unsafe extern "C" {
    pub(super) fn lightning_device_synchronize(device_type: i8, index: i8) -> *mut c_char;
    pub(super) fn lightning_device_empty_cache(device_type: i8) -> *mut c_char;
    pub(super) fn lightning_device_set_current(device_type: i8, index: i8) -> *mut c_char;
    pub(super) fn lightning_device_memory_stats(
        device_type: i8,
        index: i8,
        take: unsafe extern "C" fn(*mut c_void, *const c_char, i64),
        taker: *mut c_void,
    ) -> *mut c_char;
}

// event.cpp
unsafe extern "C" {
    pub(super) fn lightning_event_new(index: i8, event: *mut *mut CDeviceEvent) -> *mut c_char;
    pub(super) fn lightning_event_record(event: *mut CDeviceEvent) -> *mut c_char;
    pub(super) fn lightning_event_elapsed(
        event: *const CDeviceEvent,
        later: *const CDeviceEvent,
        is_done: *mut bool,
        milliseconds: *mut f64,
    ) -> *mut c_char;
    pub(super) fn lightning_event_free(event: *mut CDeviceEvent);
}

// stream.cpp
unsafe extern "C" {
    pub(super) fn lightning_stream_new(index: i8, id: *mut i64) -> *mut c_char;
    pub(super) fn lightning_stream_make_current(index: i8, id: i64, previous: *mut i64) -> *mut c_char;
    pub(super) fn lightning_stream_block_current(index: i8, id: i64) -> *mut c_char;
    pub(super) fn lightning_tensor_record_on_current_stream(tensor: *const C_tensor) -> *mut c_char;
    pub(super) fn lightning_tensor_pin_memory(tensor: *const C_tensor, pinned: *mut *mut C_tensor) -> *mut c_char;
}
