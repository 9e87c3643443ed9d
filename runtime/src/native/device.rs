use std::ffi::{CStr, c_char, c_void};

use tch::Device;

use super::boundary::{NativeError, check};

unsafe extern "C" {
    fn lightning_device_synchronize(kind: i8, index: i8) -> *mut c_char;
    fn lightning_device_empty_cache(kind: i8) -> *mut c_char;
    fn lightning_device_memory_stats(
        kind: i8,
        index: i8,
        take: unsafe extern "C" fn(*mut c_void, *const c_char, i64),
        taker: *mut c_void,
    ) -> *mut c_char;
}

/// A device as `c10::DeviceType` and an index.
fn numbers(device: Device) -> (i8, i8) {
    match device {
        Device::Cpu => (0, 0),
        Device::Cuda(index) => (1, i8::try_from(index).unwrap_or(i8::MAX)),
        Device::Vulkan => (10, 0),
        Device::Mps => (13, 0),
    }
}

/// Waits until a device has done all its work.
///
/// # Errors
/// When the device is not there.
pub(crate) fn synchronize(device: Device) -> Result<(), NativeError> {
    let (kind, index) = numbers(device);
    if device == Device::Cpu {
        return Ok(());
    }
    // SAFETY: numbers go in, and a message comes out.
    unsafe { check(lightning_device_synchronize(kind, index)) }
}

/// Gives back the memory that a device's caching allocator holds and nothing uses.
///
/// # Errors
/// When libtorch refuses.
pub(crate) fn empty_cache(device: Device) -> Result<(), NativeError> {
    let (kind, _) = numbers(device);
    // SAFETY: a number goes in, and a message comes out.
    unsafe { check(lightning_device_empty_cache(kind)) }
}

/// What a device's caching allocator counts, under the names of
/// [`torch.cuda.memory_stats`](https://docs.pytorch.org/docs/2.13/generated/torch.cuda.memory.memory_stats.html). Empty
/// for devices that have no such allocator, as the CPU, and before the first tensor.
///
/// # Errors
/// When libtorch refuses.
pub(crate) fn memory_stats(device: Device) -> Result<Vec<(String, i64)>, NativeError> {
    unsafe extern "C" fn take(taker: *mut c_void, name: *const c_char, value: i64) {
        // SAFETY: the pointer that was handed to C++ below, which nothing else uses meanwhile.
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
    fn the_cpu_has_nothing_to_wait_for_and_counts_nothing() {
        synchronize(Device::Cpu).unwrap();
        empty_cache(Device::Cpu).unwrap();
        assert!(memory_stats(Device::Cpu).unwrap().is_empty());
    }

    #[test]
    fn a_device_that_is_not_there_is_an_error() {
        // Vulkan is in no build of libtorch that this crate runs with
        let said = synchronize(Device::Vulkan).unwrap_err().to_string();
        assert!(said.to_lowercase().contains("vulkan"), "{said}");
    }
}
