use super::NativeError;
use super::boundary::{c_string, check};
use super::declarations::{
    CAotInductorModel, lightning_aot_inductor_free, lightning_aot_inductor_load, lightning_aot_inductor_run,
};
use std::ffi::c_void;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

/// A model of AOTInductor, loaded from the files of its package.
#[derive(Debug)]
pub(crate) struct CompiledModel {
    raw: *mut CAotInductorModel,
}

// SAFETY: nothing of the model belongs to the thread that loaded it.
unsafe impl Send for CompiledModel {}
// SAFETY: the only call with a shared model runs it, and libtorch lets one thread at a time do so, by a lock of the model.
unsafe impl Sync for CompiledModel {}

impl CompiledModel {
    /// Loads the model from a folder with the extracted package, which must stay until the model is dropped.
    pub(crate) fn load(folder: &Path, device: Device) -> Result<Self, NativeError> {
        let folder = c_string(folder.as_os_str().as_bytes())?;
        let index = match device {
            // libtorch's own type for an index; a larger one does not exist, for which C++ returns an error
            Device::Cuda(index) => i8::try_from(index).unwrap_or(i8::MAX),
            _ => -1,
        };
        #[cfg(target_os = "linux")]
        super::library::open_empty_libtorch().map_err(|reason| NativeError::of(&reason))?;
        let mut raw = ptr::null_mut();
        // SAFETY: the path lives for the call, as does `raw`, which is all that C++ writes to. The library that it opens is code from a
        // file, which the documentation of `AotInductorModel::load` asks to trust.
        unsafe { check(lightning_aot_inductor_load(folder.as_ptr(), index, &raw mut raw)) }?;
        Ok(Self { raw })
    }

    /// Computes the outputs, which have no graph.
    pub(crate) fn run(&self, inputs: &[&Tensor]) -> Result<Vec<Tensor>, NativeError> {
        unsafe extern "C" fn push(outputs: *mut c_void, output: *mut C_tensor) {
            // SAFETY: the pointer is the one passed to C++ below, which nothing else uses during the call.
            let outputs = unsafe { &mut *outputs.cast::<Vec<Tensor>>() };
            // SAFETY: a handle made by `new at::Tensor`, as tch's own are, and now owned only by this `Tensor`.
            outputs.push(unsafe { Tensor::from_ptr(output) });
        }
        let inputs: Vec<_> = inputs.iter().map(|input| input.as_ptr()).collect();
        let mut outputs: Vec<Tensor> = Vec::new();
        // SAFETY: the inputs live for the call, and have the length that is passed with them; the compiled code compares their shapes,
        // strides, dtypes and devices with its own before it reads them. `push` is called with this pointer while the call lasts.
        unsafe {
            check(lightning_aot_inductor_run(self.raw, inputs.as_ptr(), inputs.len(), (&raw mut outputs).cast(), push))
        }?;
        Ok(outputs)
    }
}

impl Drop for CompiledModel {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_aot_inductor_load`, and not used again.
        unsafe { lightning_aot_inductor_free(self.raw) };
    }
}
