use super::NativeError;
use super::boundary::{c_string, check};
use super::declarations::{
    CComputationTrace, lightning_computation_trace_end, lightning_computation_trace_has,
    lightning_computation_trace_save, lightning_computation_trace_start,
};
use std::ffi::CString;
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use tch::Tensor;

/// Whether a traced module takes inputs that it does not read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnreadInputs {
    Keep,
    Remove,
}

/// What a saved trace does with its inputs.
pub(crate) struct Inputs {
    /// Whether each input is read.
    pub(crate) is_read: Vec<bool>,
    /// Whether a recurrent layer has a state that does not depend on them.
    pub(crate) has_fixed_state: bool,
}

/// Records what this thread computes from tensors as a module of TorchScript, until it is saved or dropped.
pub(crate) struct ComputationTrace {
    raw: *mut CComputationTrace,
    inputs: usize,
    /// Not `Send`: it must be dropped on its own thread.
    _of_this_thread: PhantomData<*mut ()>,
}

impl ComputationTrace {
    /// Starts to record what is computed from the inputs and the parameters, which the module has under their names.
    pub(crate) fn start(parameters: &[(String, Tensor)], inputs: &[Tensor]) -> Result<Self, NativeError> {
        let names: Vec<CString> =
            parameters.iter().map(|(name, _)| c_string(name.as_bytes())).collect::<Result<_, _>>()?;
        let names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let tensors: Vec<_> = parameters.iter().map(|(_, tensor)| tensor.as_ptr()).collect();
        let handles: Vec<_> = inputs.iter().map(Tensor::as_ptr).collect();
        let mut raw = ptr::null_mut();
        // SAFETY: the lists have the lengths that are passed with them, and their strings and tensors live for the call; libtorch holds
        // on to the tensors that the trace needs.
        unsafe {
            check(lightning_computation_trace_start(
                names.as_ptr(),
                tensors.as_ptr(),
                tensors.len(),
                handles.as_ptr(),
                handles.len(),
                &raw mut raw,
            ))
        }?;
        Ok(Self { raw, inputs: inputs.len(), _of_this_thread: PhantomData })
    }

    /// Returns whether a tensor is an input or was computed by a recorded operator.
    pub(crate) fn has(&self, tensor: &Tensor) -> bool {
        // SAFETY: both live for the call, which only reads.
        unsafe { lightning_computation_trace_has(self.raw, tensor.as_ptr()) }
    }

    /// Ends the recording, and writes a module that returns the outputs, several as a tuple.
    pub(crate) fn save(self, outputs: &[Tensor], unread: UnreadInputs, path: &Path) -> Result<Inputs, NativeError> {
        let outputs: Vec<_> = outputs.iter().map(Tensor::as_ptr).collect();
        let path = c_string(path.as_os_str().as_bytes())?;
        let mut inputs = Inputs { is_read: vec![false; self.inputs], has_fixed_state: false };
        let keeps_unread = unread == UnreadInputs::Keep;
        // SAFETY: the outputs and the path live for the call; `is_read` has a value for each input of the trace.
        unsafe {
            check(lightning_computation_trace_save(
                self.raw,
                outputs.as_ptr(),
                outputs.len(),
                keeps_unread,
                inputs.is_read.as_mut_ptr(),
                &raw mut inputs.has_fixed_state,
                path.as_ptr(),
            ))
        }?;
        Ok(inputs)
    }
}

impl Drop for ComputationTrace {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_computation_trace_start` on this thread, and not used again.
        unsafe { lightning_computation_trace_end(self.raw) };
    }
}
