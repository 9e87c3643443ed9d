use std::ffi::{CStr, c_char, c_void};

use tch::Device;

use super::boundary::{NativeError, check};
use super::declarations::{
    lightning_device_empty_cache, lightning_device_memory_stats, lightning_device_set_current,
    lightning_device_synchronize,
};

/// Returns the `c10::DeviceType` and the index of a device.
fn numbers(device: Device) -> (i8, i8) {
    match device {
        Device::Cpu => (0, 0),
        Device::Cuda(index) => (1, i8::try_from(index).unwrap_or(i8::MAX)),
        Device::Vulkan => (10, 0),
        Device::Mps => (13, 0),
    }
}

/// Waits until a device has finished all its work.
///
/// # Errors
/// If the device does not exist.
pub(crate) fn synchronize(device: Device) -> Result<(), NativeError> {
    let (kind, index) = numbers(device);
    if device == Device::Cpu {
        return Ok(());
    }
    // SAFETY: it only takes numbers.
    unsafe { check(lightning_device_synchronize(kind, index)) }
}

/// Makes a device the current one of this thread, which libraries use that do not ask for another.
///
/// # Errors
/// If the device does not exist.
pub(crate) fn set_current_device(device: Device) -> Result<(), NativeError> {
    let (kind, index) = numbers(device);
    // SAFETY: it only takes numbers.
    unsafe { check(lightning_device_set_current(kind, index)) }
}

/// Releases the unused memory of a device's caching allocator.
///
/// # Errors
/// If libtorch fails.
pub(crate) fn empty_cache(device: Device) -> Result<(), NativeError> {
    let (kind, _) = numbers(device);
    // SAFETY: it only takes a number.
    unsafe { check(lightning_device_empty_cache(kind)) }
}

/// Returns the statistics of a device's caching allocator, under the names of
/// [`torch.cuda.memory_stats`](https://docs.pytorch.org/docs/2.13/generated/torch.cuda.memory.memory_stats.html). Empty
/// for devices without such an allocator, such as the CPU, and before the first tensor.
///
/// # Errors
/// If libtorch fails.
pub(crate) fn memory_stats(device: Device) -> Result<Vec<(String, i64)>, NativeError> {
    unsafe extern "C" fn take(taker: *mut c_void, name: *const c_char, value: i64) {
        // SAFETY: the pointer is the one passed to C++ below, which nothing else uses during the call.
        let stats = unsafe { &mut *taker.cast::<Vec<(String, i64)>>() };
        // SAFETY: a C string that lives as long as this call.
        let name = unsafe { CStr::from_ptr(name) };
        stats.push((name.to_string_lossy().into_owned(), value));
    }
    let (kind, index) = numbers(device);
    let mut stats: Vec<(String, i64)> = Vec::new();
    // SAFETY: `take` is called with this pointer while the call lasts, and not after it.
    unsafe { check(lightning_device_memory_stats(kind, index, take, (&raw mut stats).cast())) }?;
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_has_nothing_to_synchronize_and_no_statistics() {
        synchronize(Device::Cpu).unwrap();
        empty_cache(Device::Cpu).unwrap();
        assert!(memory_stats(Device::Cpu).unwrap().is_empty());
    }

    #[test]
    fn synchronize_of_a_missing_device_is_an_error() {
        // Vulkan is in no build of libtorch that this crate runs with
        let said = synchronize(Device::Vulkan).unwrap_err().to_string();
        assert!(said.to_lowercase().contains("vulkan"), "{said}");
    }
}
