//! Prefetching of batches to a device.

use std::iter::FusedIterator;

use tch::Device;

use super::{Batch, Batches, DataError};
use crate::device::{CudaStatus, DeviceError, cuda_status};
use crate::native::{self, Stream};

/// An iterator over the batches of one epoch on a device, returned by [`Batches::prefetch_to_device`].
pub struct DeviceBatches<'a, B> {
    batches: Batches<'a, B>,
    device: Device,
    /// The CUDA stream of the copies; `None` on other devices, whose copies are synchronous.
    stream: Option<Stream>,
    /// The next batch, whose copy has been started.
    ahead: Option<Result<B, DataError>>,
}

impl<'a, B: Batch> DeviceBatches<'a, B> {
    pub(super) fn new(batches: Batches<'a, B>, device: Device) -> Result<Self, DataError> {
        let stream = match device {
            Device::Cuda(index) => Some(stream(index).map_err(|source| DataError::Device { device, source })?),
            _ => None,
        };
        Ok(Self { batches, device, stream, ahead: None })
    }

    /// Starts the copy of the next batch.
    fn send(&mut self) -> Option<Result<B, DataError>> {
        let (device, stream) = (self.device, self.stream);
        let batch = self.batches.next()?;
        Some(batch.and_then(|batch| {
            let moved = match stream {
                Some(stream) => {
                    stream.scope(|| batch.move_to_device(device)).map_err(|error| refused(device, error))?
                }
                None => batch.move_to_device(device),
            };
            moved.map_err(|error| refused(device, error))
        }))
    }

    /// Makes the device's current stream wait for the copies that have been started.
    fn arrive(&self, batch: B) -> Result<B, DataError> {
        let Some(stream) = self.stream else { return Ok(batch) };
        let mut outcome = stream.block_current();
        batch.visit_tensors(&mut |tensor| {
            // a batch that overrides `move_to_device` may leave tensors where they were
            if outcome.is_ok() && tensor.device() == self.device {
                outcome = native::record_on_current_stream(tensor);
            }
        });
        outcome.map(|()| batch).map_err(|error| refused(self.device, error))
    }
}

fn stream(index: usize) -> anyhow::Result<Stream> {
    match cuda_status() {
        CudaStatus::Usable { .. } => Ok(Stream::new(index)?),
        status => Err(DeviceError::Cuda(status).into()),
    }
}

fn refused(device: Device, error: impl Into<anyhow::Error>) -> DataError {
    DataError::Device { device, source: error.into() }
}

impl<B: Batch> Iterator for DeviceBatches<'_, B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let sent = self.ahead.take().or_else(|| self.send())?;
        // before the next copy starts, which the device must not wait for
        let batch = sent.and_then(|batch| self.arrive(batch));
        // only if it is ready: waiting for it would delay the work on this one
        if self.batches.is_ready() {
            self.ahead = self.send();
        }
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.batches.size_hint();
        let ahead = usize::from(self.ahead.is_some());
        (least + ahead, most.map(|most| most + ahead))
    }
}

impl<B: Batch> FusedIterator for DeviceBatches<'_, B> {}
