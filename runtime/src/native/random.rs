//! The state of libtorch's random numbers.

use super::NativeError;
use super::boundary::{check, receive};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int};
use tch::{Device, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn lightning_random_state(device: c_int, state: *mut *mut C_tensor) -> *mut c_char;
    fn lightning_set_random_state(device: c_int, state: *const C_tensor) -> *mut c_char;
}

/// The random numbers of a run: those of the CPU, and of its device where that is another. Each `[bytes] u8`, on the CPU.
#[derive(Debug, Default)]
pub(crate) struct RandomState {
    cpu: Option<Tensor>,
    device: Option<(Device, Tensor)>,
}

const CPU: &str = "cpu";
const DEVICE: &str = "device";

impl RandomState {
    /// The state of now, for a run on `device`.
    pub(crate) fn of(device: Device) -> Result<Self, NativeError> {
        let of_device = (device != Device::Cpu).then(|| get(device).map(|state| (device, state)));
        Ok(Self { cpu: Some(get(Device::Cpu)?), device: of_device.transpose()? })
    }

    /// Sets it again. What is missing is left as it is.
    pub(crate) fn restore(&self) -> Result<(), NativeError> {
        self.cpu.as_ref().map_or(Ok(()), |state| set(Device::Cpu, state))?;
        self.device.as_ref().map_or(Ok(()), |(device, state)| set(*device, state))
    }

    /// The tensors by name.
    pub(crate) fn into_tensors(self) -> BTreeMap<String, Tensor> {
        let of_cpu = self.cpu.map(|state| (CPU.to_owned(), state));
        of_cpu.into_iter().chain(self.device.map(|(_, state)| (DEVICE.to_owned(), state))).collect()
    }

    /// The state that [`into_tensors`](Self::into_tensors) gave, for a run on `device`: one on another kind of device begins
    /// with the device's own.
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
    // SAFETY: the tensor lives for the call and is only read; the answer is an entry point's.
    unsafe { check(lightning_set_random_state(number(device), state.as_ptr())) }
}

fn number(device: Device) -> c_int {
    match device {
        Device::Cuda(index) => c_int::try_from(index).unwrap_or(c_int::MAX),
        Device::Mps => -2,
        _ => -1,
    }
}
