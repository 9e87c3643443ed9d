use super::boundary::{NativeError, check};
use super::declarations::{
    CDeviceEvent, lightning_event_elapsed, lightning_event_free, lightning_event_new, lightning_event_record,
};
use std::ptr;
use std::time::Duration;

/// An event of a CUDA device, which has the time at which the device comes to it.
pub(crate) struct DeviceEvent {
    raw: *mut CDeviceEvent,
}

impl DeviceEvent {
    /// Creates an event of CUDA device `device`.
    pub(crate) fn new(device: usize) -> Result<Self, NativeError> {
        // libtorch's own type for an index; a larger one does not exist, for which recording fails
        let device = i8::try_from(device).unwrap_or(i8::MAX);
        let mut raw = ptr::null_mut();
        // SAFETY: the pointer is valid for the call, and the answer is an entry point's.
        unsafe { check(lightning_event_new(device, &raw mut raw)) }?;
        Ok(Self { raw })
    }

    /// Queues the event on the current stream of this thread. An event can be recorded again.
    pub(crate) fn record(&mut self) -> Result<(), NativeError> {
        // SAFETY: the event lives as long as `self`.
        unsafe { check(lightning_event_record(self.raw)) }
    }

    /// Returns the time from this event to a later one; `None` if the device has not come to that yet. Does not wait.
    pub(crate) fn until(&self, later: &Self) -> Result<Option<Duration>, NativeError> {
        let (mut is_done, mut milliseconds) = (false, 0.0);
        // SAFETY: both events live for the call, and the variables outlive it.
        unsafe { check(lightning_event_elapsed(self.raw, later.raw, &raw mut is_done, &raw mut milliseconds)) }?;
        Ok(is_done.then(|| Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()))
    }
}

impl Drop for DeviceEvent {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_event_new`, and not used again.
        unsafe { lightning_event_free(self.raw) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_without_a_gpu_is_an_error() {
        if tch::Cuda::is_available() {
            println!("skipped: there is a GPU");
            return;
        }
        assert!(DeviceEvent::new(0).and_then(|mut event| event.record()).is_err());
    }
}
