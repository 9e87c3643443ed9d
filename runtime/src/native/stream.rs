use tch::Tensor;

use super::boundary::{NativeError, check, receive};
use super::declarations::{
    lightning_stream_block_current, lightning_stream_make_current, lightning_stream_new, lightning_tensor_pin_memory,
    lightning_tensor_record_on_current_stream,
};

/// A CUDA stream of libtorch's pool, which lives as long as the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    device: i8,
    id: i64,
}

impl Stream {
    /// A stream of CUDA device `device`.
    pub(crate) fn new(device: usize) -> Result<Self, NativeError> {
        // libtorch's own type for an index; a larger one does not exist, for which C++ returns an error
        let device = i8::try_from(device).unwrap_or(i8::MAX);
        let mut id = 0;
        // SAFETY: `id` outlives the call, which is all that C++ writes to.
        unsafe { check(lightning_stream_new(device, &mut id)) }?;
        Ok(Self { device, id })
    }

    /// Runs `call` with this stream as the current one of this thread.
    pub(crate) fn scope<T>(self, call: impl FnOnce() -> T) -> Result<T, NativeError> {
        let before = Self { id: self.make_current()?, ..self };
        let _restored = Current { before };
        Ok(call())
    }

    /// Makes the thread's current stream wait for the work queued on this stream so far. The host does not wait.
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

/// Restores the previous stream when dropped, also after a panic.
struct Current {
    before: Stream,
}

impl Drop for Current {
    fn drop(&mut self) {
        // it was current before, so this is not expected to fail, and a destructor cannot return an error
        let _ = self.before.make_current();
    }
}

/// Records in libtorch's allocator that the current stream uses the memory of a CUDA tensor, so that it is not reused before that work
/// is done.
pub(crate) fn record_on_current_stream(tensor: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the pointer is a live `at::Tensor` for as long as `tensor` is borrowed.
    unsafe { check(lightning_tensor_record_on_current_stream(tensor.as_ptr())) }
}

/// Returns a host tensor in pinned memory: itself if it is pinned already, or else a copy.
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
    fn streams_are_none_without_cuda() {
        if let CudaStatus::Usable { .. } = cuda_status() {
            println!("skipped: CUDA can be used here");
            return;
        }
        let error = Stream::new(0).unwrap_err().to_string();
        assert!(error.contains("CUDA") || error.contains("cuda"), "{error}");
        assert!(pin_memory(&Tensor::zeros([2], (Kind::Float, Device::Cpu))).is_err());
    }

    #[test]
    fn device_that_is_not_there_has_no_stream() {
        let CudaStatus::Usable { devices } = cuda_status() else {
            println!("skipped: CUDA cannot be used here");
            return;
        };
        let error = Stream::new(devices).unwrap_err().to_string();
        assert_eq!(error, format!("there is no CUDA device {devices}: libtorch sees {devices}, counted from 0"));
    }

    #[test]
    fn work_on_another_stream_is_waited_for() {
        let CudaStatus::Usable { .. } = cuda_status() else {
            println!("skipped: CUDA cannot be used here");
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
