use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check, receive};

unsafe extern "C" {
    fn lightning_stream_new(index: i8, id: *mut i64) -> *mut c_char;
    fn lightning_stream_make_current(index: i8, id: i64, previous: *mut i64) -> *mut c_char;
    fn lightning_stream_block_current(index: i8, id: i64) -> *mut c_char;
    fn lightning_tensor_record_on_current_stream(tensor: *const C_tensor) -> *mut c_char;
    fn lightning_tensor_pin_memory(tensor: *const C_tensor, pinned: *mut *mut C_tensor) -> *mut c_char;
}

/// A queue of a CUDA device's work beside the current one, from libtorch's pool, in which it lives on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    device: i8,
    id: i64,
}

impl Stream {
    /// A stream of CUDA device `device`.
    pub(crate) fn new(device: usize) -> Result<Self, NativeError> {
        // libtorch counts devices so; what is beyond is not there, which C++ says
        let device = i8::try_from(device).unwrap_or(i8::MAX);
        let mut id = 0;
        // SAFETY: `id` outlives the call, which is all that C++ writes to.
        unsafe { check(lightning_stream_new(device, &mut id)) }?;
        Ok(Self { device, id })
    }

    /// Runs `call` while what this thread gives the device goes to this stream.
    pub(crate) fn scope<T>(self, call: impl FnOnce() -> T) -> Result<T, NativeError> {
        let before = Self { id: self.make_current()?, ..self };
        let _restored = Current { before };
        Ok(call())
    }

    /// Has what this thread gives the device from now on wait for what this stream was given until now. The host does
    /// not wait.
    pub(crate) fn block_current(self) -> Result<(), NativeError> {
        // SAFETY: the stream came from libtorch's pool, where it lives as long as the program.
        unsafe { check(lightning_stream_block_current(self.device, self.id)) }
    }

    fn make_current(self) -> Result<i64, NativeError> {
        let mut previous = 0;
        // SAFETY: the stream came from libtorch, where it lives as long as the program; `previous` outlives the call.
        unsafe { check(lightning_stream_make_current(self.device, self.id, &mut previous)) }?;
        Ok(previous)
    }
}

/// Makes the stream of before the current one again, also after a panic.
struct Current {
    before: Stream,
}

impl Drop for Current {
    fn drop(&mut self) {
        // it was current before: that it can't be again is not to be expected, and no reason to end the program
        let _ = self.before.make_current();
    }
}

/// Tells libtorch's allocator that the current stream uses a tensor's memory, so that it is not given away before that
/// is done. The tensor is on a CUDA device.
pub(crate) fn record_on_current_stream(tensor: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the pointer is a live `at::Tensor` for as long as `tensor` is borrowed.
    unsafe { check(lightning_tensor_record_on_current_stream(tensor.as_ptr())) }
}

/// The tensor of the host in pinned memory: itself where it is so already, otherwise a copy.
pub(crate) fn pin_memory(tensor: &Tensor) -> Result<Tensor, NativeError> {
    // SAFETY: the pointer is a live `at::Tensor` for as long as `tensor` is borrowed; what is stored is a new handle.
    let pinned = unsafe { receive(|pinned| lightning_tensor_pin_memory(tensor.as_ptr(), pinned)) }?;
    Ok(pinned.expect("a call that succeeded has stored the tensor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{CudaStatus, cuda_status};
    use tch::{Device, Kind};

    #[test]
    fn without_cuda_there_is_no_stream() {
        if let CudaStatus::Usable { .. } = cuda_status() {
            println!("skipped: CUDA can be used here");
            return;
        }
        let error = Stream::new(0).unwrap_err().to_string();
        assert!(error.contains("CUDA") || error.contains("cuda"), "{error}");
        assert!(pin_memory(&Tensor::zeros([2], (Kind::Float, Device::Cpu))).is_err());
    }

    #[test]
    fn a_device_that_is_not_there_has_no_stream() {
        let CudaStatus::Usable { devices } = cuda_status() else {
            println!("skipped: CUDA can't be used here");
            return;
        };
        let error = Stream::new(devices).unwrap_err().to_string();
        assert_eq!(error, format!("there is no CUDA device {devices}: libtorch sees {devices}, counted from 0"));
    }

    #[test]
    fn another_stream_is_waited_for() {
        let CudaStatus::Usable { .. } = cuda_status() else {
            println!("skipped: CUDA can't be used here");
            return;
        };
        let stream = Stream::new(0).unwrap();
        let host = pin_memory(&Tensor::ones([1 << 22], (Kind::Float, Device::Cpu))).unwrap();
        assert!(pin_memory(&host).unwrap().data_ptr() == host.data_ptr());
        for _ in 0..20 {
            let moved = stream.scope(|| host.to_device_(Device::Cuda(0), Kind::Float, true, false) * 2.0).unwrap();
            stream.block_current().unwrap();
            record_on_current_stream(&moved).unwrap();
            assert_eq!(moved.sum(Kind::Double).double_value(&[]), f64::from(1 << 23));
        }
    }
}
