//! Batches that are on the device before they are asked for.

use std::iter::FusedIterator;

use tch::Device;

use super::{Batch, Batches, DataError};
use crate::device::{CudaStatus, DeviceError, cuda_status};
use crate::native::{self, Stream};

/// The batches of one epoch on a device: what [`Batches::prefetch_to_device`] answers.
pub struct DeviceBatches<'a, B> {
    batches: Batches<'a, B>,
    device: Device,
    /// Where the copies run; `None` where the host waits for them.
    stream: Option<Stream>,
    /// The next batch, on its way.
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

    /// Begins to copy the next batch.
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

    /// Has the device wait for the copies that were begun, before it uses them.
    fn arrive(&self, batch: B) -> Result<B, DataError> {
        let Some(stream) = self.stream else { return Ok(batch) };
        let mut outcome = stream.block_current();
        batch.visit_tensors(&mut |tensor| {
            // a batch with a `move_to_device` of its own may leave tensors where they were
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
        // before the next copy begins, for which the device need not wait
        let batch = sent.and_then(|batch| self.arrive(batch));
        // waiting for it would keep the device from this one
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
