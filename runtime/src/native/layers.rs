use super::NativeError;
use super::boundary::check;
use super::declarations::{CLayerObserver, lightning_layers_start, lightning_layers_stop, lightning_layers_visit};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::{ptr, slice};
use tch::Tensor;

/// Observes which layers the operators of this thread belong to, until it is dropped. The operations of a layer are those that a
/// [`FlopCounter`](super::FlopCounter) counts, which must have been started before.
pub(crate) struct LayerObserver {
    raw: *mut CLayerObserver,
    /// Not `Send`: it must be dropped on its own thread.
    _of_this_thread: PhantomData<*mut ()>,
}

/// A layer that was called.
pub(crate) struct ObservedLayer {
    /// Its number.
    pub(crate) layer: usize,
    /// The shape of the input of the first call.
    pub(crate) input: Vec<i64>,
    /// The shape of its output; `None` if the call failed.
    pub(crate) output: Option<Vec<i64>>,
    /// The floating-point operations of all calls, without backward passes.
    pub(crate) flops: u64,
    pub(crate) calls: u64,
}

impl LayerObserver {
    /// Starts to observe the layers of parameters and buffers, each with the number of its layer.
    pub(crate) fn start(tensors: &[(usize, Tensor)]) -> Result<Self, NativeError> {
        let handles: Vec<_> = tensors.iter().map(|(_, tensor)| tensor.as_ptr()).collect();
        let layers: Vec<usize> = tensors.iter().map(|(layer, _)| *layer).collect();
        let mut raw = ptr::null_mut();
        // SAFETY: both arrays hold `count` values, and the tensors live for the call, after which C++ keeps only addresses to compare
        // with; the pointer is valid for the call.
        let message = unsafe { lightning_layers_start(handles.as_ptr(), layers.as_ptr(), handles.len(), &raw mut raw) };
        // SAFETY: the answer is an entry point's.
        unsafe { check(message) }?;
        Ok(Self { raw, _of_this_thread: PhantomData })
    }

    /// Returns the layers that were called, in the order of their first calls.
    pub(crate) fn called(&self) -> Vec<ObservedLayer> {
        unsafe extern "C" fn visit(
            visitor: *mut c_void,
            layer: usize,
            input: *const i64,
            input_dims: usize,
            output: *const i64,
            output_dims: usize,
            flops: u64,
            calls: u64,
        ) {
            let shape = |sizes: *const i64, dims: usize| match dims {
                0 => Vec::new(),
                // SAFETY: an array of `dims` values, which lives for the call.
                _ => unsafe { slice::from_raw_parts(sizes, dims) }.to_vec(),
            };
            // SAFETY: the visitor is the list below, which nothing else uses during the visit.
            let called = unsafe { &mut *visitor.cast::<Vec<ObservedLayer>>() };
            let output = (!output.is_null()).then(|| shape(output, output_dims));
            called.push(ObservedLayer { layer, input: shape(input, input_dims), output, flops, calls });
        }
        let mut called = Vec::new();
        // SAFETY: the observer lives as long as `self`; the visitor is valid for the call.
        unsafe { lightning_layers_visit(self.raw, (&raw mut called).cast(), visit) };
        called
    }
}

impl Drop for LayerObserver {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_layers_start` on this thread, and not used again.
        unsafe { lightning_layers_stop(self.raw) };
    }
}
