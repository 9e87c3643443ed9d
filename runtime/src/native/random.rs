//! The state of libtorch's random generators.

use super::NativeError;
use super::boundary::{check, receive};
use super::declarations::{lightning_random_state, lightning_set_random_state};
use std::collections::BTreeMap;
use std::ffi::c_int;
use tch::{Device, Tensor};

/// The random state of a run: of the CPU, and of its device if that is another. Each is `[bytes] u8`, on the CPU.
#[derive(Debug, Default)]
pub(crate) struct RandomState {
    cpu: Option<Tensor>,
    device: Option<(Device, Tensor)>,
}

const CPU: &str = "cpu";
const DEVICE: &str = "device";

impl RandomState {
    /// Returns the current state, for a run on `device`.
    pub(crate) fn of(device: Device) -> Result<Self, NativeError> {
        let of_device = (device != Device::Cpu).then(|| get(device).map(|state| (device, state)));
        Ok(Self { cpu: Some(get(Device::Cpu)?), device: of_device.transpose()? })
    }

    /// Restores the state; a missing one is skipped.
    pub(crate) fn restore(&self) -> Result<(), NativeError> {
        self.cpu.as_ref().map_or(Ok(()), |state| set(Device::Cpu, state))?;
        self.device.as_ref().map_or(Ok(()), |(device, state)| set(*device, state))
    }

    /// Converts the state to tensors by name.
    pub(crate) fn into_tensors(self) -> BTreeMap<String, Tensor> {
        let of_cpu = self.cpu.map(|state| (CPU.to_owned(), state));
        of_cpu.into_iter().chain(self.device.map(|(_, state)| (DEVICE.to_owned(), state))).collect()
    }

    /// Creates the state from the tensors of [`into_tensors`](Self::into_tensors), for a run on `device`. The state of another kind of
    /// device is skipped.
    pub(crate) fn from_tensors(tensors: &BTreeMap<String, Tensor>, device: Device) -> Self {
        let of_device = tensors.get(DEVICE).filter(|_| device != Device::Cpu);
        Self {
            cpu: tensors.get(CPU).map(Tensor::shallow_clone),
            device: of_device.map(|state| (device, state.shallow_clone())),
        }
    }
}

fn get(device: Device) -> Result<Tensor, NativeError> {
    // SAFETY: the entry point stores a new handle.
    let state = unsafe { receive(|state| lightning_random_state(number(device), state)) }?;
    Ok(state.unwrap_or_default())
}

fn set(device: Device, state: &Tensor) -> Result<(), NativeError> {
    // SAFETY: the tensor lives for the call and is only read.
    unsafe { check(lightning_set_random_state(number(device), state.as_ptr())) }
}

fn number(device: Device) -> c_int {
    match device {
        Device::Cuda(index) => c_int::try_from(index).unwrap_or(c_int::MAX),
        Device::Mps => -2,
        _ => -1,
    }
}
