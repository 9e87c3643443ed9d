//! The time that a GPU takes for actions, by events before and after them.

use super::times::{Key, Times};
use crate::messages;
use crate::native::{DeviceEvent, NativeError, synchronize};
use std::collections::VecDeque;
use tch::Device;

/// The events of actions. They are read after the device has come to them, so that the host does not wait in the run.
pub(super) struct DeviceTimes {
    device: usize,
    /// The actions that the host has ended and the device perhaps not, in that order.
    pending: VecDeque<Pending>,
    /// Events to record again, as creating one takes longer.
    free: Vec<DeviceEvent>,
    has_failed: bool,
}

struct Pending {
    key: Key,
    began: DeviceEvent,
    ended: DeviceEvent,
}

impl DeviceTimes {
    /// Returns the times of a CUDA device.
    pub(super) fn of(device: usize) -> Self {
        Self { device, pending: VecDeque::new(), free: Vec::new(), has_failed: false }
    }

    /// Returns an event at the end of what the device has been given so far; `None` after an error.
    pub(super) fn begin(&mut self) -> Option<DeviceEvent> {
        if self.has_failed {
            return None;
        }
        self.record().map_err(|error| self.fail(&error)).ok()
    }

    /// Ends an action that began at an event, and adds the times of the actions that the device has completed.
    pub(super) fn end(&mut self, key: Key, began: DeviceEvent, times: &mut Times) {
        if let Some(ended) = self.begin() {
            self.pending.push_back(Pending { key, began, ended });
        }
        self.read(times);
    }

    /// Waits for the device at the end of a run, and adds the times of all actions.
    pub(super) fn finish(&mut self, times: &mut Times) {
        if !self.pending.is_empty() {
            match synchronize(Device::Cuda(self.device)) {
                Ok(()) => self.read(times),
                Err(error) => self.fail(&error),
            }
        }
    }

    /// Adds the times of the actions that the device has completed.
    fn read(&mut self, times: &mut Times) {
        while let Some(Pending { key, began, ended }) = self.pending.front() {
            match began.until(ended) {
                Ok(Some(time)) => times.add_device(*key, time),
                Ok(None) => return,
                Err(error) => return self.fail(&error),
            }
            let read = self.pending.pop_front();
            self.free.extend(read.into_iter().flat_map(|Pending { began, ended, .. }| [began, ended]));
        }
    }

    fn record(&mut self) -> Result<DeviceEvent, NativeError> {
        let mut event = self.free.pop().map_or_else(|| DeviceEvent::new(self.device), Ok)?;
        event.record()?;
        Ok(event)
    }

    /// Ends the measurement. The profiler continues with the host's times.
    #[cold]
    fn fail(&mut self, error: &NativeError) {
        messages::warning!("the profiler cannot measure the time of the device: {error}");
        self.has_failed = true;
        self.pending.clear();
    }
}
