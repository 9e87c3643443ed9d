//! The devices that a run can compute on, and the choice among them.

mod cuda;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use tch::Device;

pub use crate::native::libtorch_version;
pub use cuda::CudaStatus;

/// The kind of device that a run computes on. Lightning's `accelerator`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Accelerator {
    /// CUDA if it is usable, else MPS, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU: CUDA if it is usable, else MPS.
    Gpu,
    /// An NVIDIA GPU.
    Cuda,
    /// The GPU of an Apple computer.
    Mps,
}

/// Which devices of the accelerator. Lightning's `devices`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
#[non_exhaustive]
pub enum Devices {
    /// The first device.
    #[default]
    Auto,
    /// This number of devices, from the first on.
    Count(usize),
    /// Those of these indices.
    Indices(Vec<usize>),
}

/// A device that cannot be used, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// CUDA was requested but is not usable.
    #[error("the accelerator cuda cannot be used: {0}")]
    Cuda(CudaStatus),
    /// A GPU was requested, but neither CUDA nor MPS is usable.
    #[error(
        "the accelerator gpu cannot be used: {0}, and this libtorch does not support MPS, or this is not an Apple computer with a GPU"
    )]
    Gpu(CudaStatus),
    /// MPS was requested but is not usable.
    #[error(
        "the accelerator mps cannot be used: this libtorch does not support MPS, or this is not an Apple computer with a GPU"
    )]
    Mps,
    /// A device of that index does not exist.
    #[error("the accelerator {accelerator} does not have the device {index}: it has {count}, counted from 0")]
    Index {
        /// The requested index.
        index: usize,
        /// The accelerator's name.
        accelerator: &'static str,
        /// How many devices there are.
        count: usize,
    },
    /// There are more processes on this machine than devices.
    #[error("process {local_rank} of this machine, counted from 0, does not have a device: `devices` lists {listed}")]
    Process {
        /// The number of the process on its machine, from 0.
        local_rank: usize,
        /// The number of listed devices.
        listed: usize,
    },
    /// No device was requested.
    #[error("`devices` is empty: write auto, 1, or an index such as [0]")]
    NoDevice,
}

impl Accelerator {
    /// The device to compute on, in a run of one process.
    ///
    /// # Errors
    /// [`DeviceError`], whose message names what is missing.
    pub fn device(self, devices: &Devices) -> Result<Device, DeviceError> {
        self.device_of(devices, 0)
    }

    /// The device of a process, by its number on its machine.
    pub(crate) fn device_of(self, devices: &Devices, local_rank: usize) -> Result<Device, DeviceError> {
        match self {
            // processes share the CPU
            Self::Cpu => devices.of_process("cpu", None, local_rank).map(|_| Device::Cpu),
            Self::Cuda => match cuda::load() {
                CudaStatus::Usable { devices: count } => {
                    devices.of_process("cuda", Some(count), local_rank).map(Device::Cuda)
                }
                status => Err(DeviceError::Cuda(status)),
            },
            Self::Mps if mps_is_available() => devices.of_process("mps", Some(1), local_rank).map(|_| Device::Mps),
            Self::Mps => Err(DeviceError::Mps),
            Self::Gpu => match (cuda::load(), mps_is_available()) {
                (CudaStatus::Usable { .. }, _) => Self::Cuda.device_of(devices, local_rank),
                (_, true) => Self::Mps.device_of(devices, local_rank),
                (status, false) => Err(DeviceError::Gpu(status)),
            },
            Self::Auto => self.best().device_of(devices, local_rank),
        }
    }

    fn best(self) -> Self {
        let cuda = matches!(cuda::load(), CudaStatus::Usable { .. });
        match (cuda, mps_is_available()) {
            (true, _) => Self::Cuda,
            (false, true) => Self::Mps,
            (false, false) => Self::Cpu,
        }
    }
}

impl Devices {
    /// The number of devices on a machine, if it is given.
    pub(crate) fn count(&self) -> Option<usize> {
        match self {
            Self::Auto => None,
            Self::Count(count) => Some(*count),
            Self::Indices(indices) => Some(indices.len()),
        }
    }

    /// Returns what is wrong with them on any machine.
    pub(crate) fn mistake(&self) -> Option<String> {
        match self {
            Self::Count(0) => Some("0: it must be auto, a count from 1, or indices such as [0]".to_owned()),
            Self::Indices(indices) if indices.is_empty() => {
                Some("empty: it must be auto, a count from 1, or indices such as [0]".to_owned())
            }
            Self::Indices(indices) => {
                let is_repeated = |(position, index)| indices[..position].contains(index);
                indices
                    .iter()
                    .enumerate()
                    .any(is_repeated)
                    .then(|| format!("{self}: list each device once, or write a count, such as {}", indices.len()))
            }
            Self::Auto | Self::Count(_) => None,
        }
    }

    /// Returns the index of the device of a process among `count` devices, or among any number.
    fn of_process(
        &self,
        accelerator: &'static str,
        count: Option<usize>,
        local_rank: usize,
    ) -> Result<usize, DeviceError> {
        let index = match self {
            Self::Count(0) => return Err(DeviceError::NoDevice),
            Self::Auto | Self::Count(_) => local_rank,
            Self::Indices(indices) if indices.is_empty() => return Err(DeviceError::NoDevice),
            Self::Indices(indices) => {
                *indices.get(local_rank).ok_or(DeviceError::Process { local_rank, listed: indices.len() })?
            }
        };
        match count {
            Some(count) if index >= count => Err(DeviceError::Index { index, accelerator, count }),
            None if matches!(self, Self::Indices(_)) && index > 0 => {
                Err(DeviceError::Index { index, accelerator, count: 1 })
            }
            _ => Ok(index),
        }
    }
}

impl From<usize> for Devices {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Indices(indices) => {
                let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
                write!(f, "[{}]", indices.join(","))
            }
        }
    }
}

impl FromStr for Devices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse =
            |_| format!("`{text}` is not a list of devices: write auto, a count such as 1, or indices such as [0]");
        match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            _ if text == "auto" => Ok(Self::Auto),
            Some("") => Ok(Self::Indices(Vec::new())),
            Some(list) => {
                let indices = list.split(',').map(|index| index.trim().parse());
                indices.collect::<Result<_, _>>().map(Self::Indices).map_err(refuse)
            }
            None => text.parse().map(Self::Count).map_err(refuse),
        }
    }
}

/// The form of devices in a configuration file: `auto`, `1` or `[0]`, or quoted in the form of the flag.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "write auto, a count such as 1, or indices such as [0]")]
enum Written {
    #[serde(with = "as_text")]
    Text(Devices),
    Count(usize),
    Indices(Vec<usize>),
}

mod as_text {
    use super::Devices;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(devices: &Devices, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(devices)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Devices, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl From<Written> for Devices {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(devices) => devices,
            Written::Count(count) => Self::Count(count),
            Written::Indices(indices) => Self::Indices(indices),
        }
    }
}

impl From<Devices> for Written {
    fn from(devices: Devices) -> Self {
        match devices {
            Devices::Auto => Self::Text(Devices::Auto),
            Devices::Count(count) => Self::Count(count),
            Devices::Indices(indices) => Self::Indices(indices),
        }
    }
}

/// Whether libtorch can use an Apple GPU here.
pub fn mps_is_available() -> bool {
    tch::utils::has_mps()
}

/// Returns whether libtorch can use CUDA on this machine, or the reason why it cannot.
///
/// On Linux, libtorch's CUDA half is opened before `main` if there is an NVIDIA driver, because libtorch decides at its first question
/// about CUDA, which may be a `manual_seed` of the program's own, whether it has one. It is not opened if `CUDA_VISIBLE_DEVICES` is empty
/// or `-1`, nor in programs that were started with `--help`, `--version` or `--print-config`, until this function or a trainer is called.
pub fn cuda_status() -> CudaStatus {
    cuda::load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_and_written_alike() {
        for (text, devices) in [
            ("auto", Devices::Auto),
            ("2", Devices::Count(2)),
            ("[1]", Devices::Indices(vec![1])),
            ("[0,3]", Devices::Indices(vec![0, 3])),
        ] {
            assert_eq!(text.parse::<Devices>().as_ref(), Ok(&devices));
            assert_eq!(devices.to_string(), text);
        }
        assert!("gpu".parse::<Devices>().is_err());
    }

    #[test]
    fn each_process_has_its_device() {
        let of = |devices: Devices, process| devices.of_process("cuda", Some(2), process);
        assert_eq!(of(Devices::Indices(vec![1]), 0), Ok(1));
        assert_eq!(of(Devices::Count(2), 1), Ok(1));
        assert_eq!(of(Devices::Indices(vec![1, 0]), 1), Ok(0));
        assert_eq!(of(Devices::Indices(vec![1]), 1), Err(DeviceError::Process { local_rank: 1, listed: 1 }));
        assert_eq!(Devices::Count(4).of_process("cpu", None, 3), Ok(3));
        let missing = of(Devices::Indices(vec![2]), 0).unwrap_err().to_string();
        assert_eq!(missing, "the accelerator cuda does not have the device 2: it has 2, counted from 0");
    }

    #[test]
    fn cpu_is_always_there() {
        assert_eq!(Accelerator::Cpu.device(&Devices::Auto), Ok(Device::Cpu));
    }

    #[test]
    fn cuda_without_a_gpu_says_what_is_missing() {
        if crate::native::cuda_driver_is_present() {
            println!("skipped: this machine has an NVIDIA driver");
            return;
        }
        let error = Accelerator::Cuda.device(&Devices::Auto).unwrap_err().to_string();
        assert_eq!(
            error,
            "the accelerator cuda cannot be used: no NVIDIA driver is installed on this machine (libcuda.so.1 is not found)"
        );
        let error = Accelerator::Gpu.device(&Devices::Auto).unwrap_err().to_string();
        assert_eq!(
            error,
            "the accelerator gpu cannot be used: no NVIDIA driver is installed on this machine (libcuda.so.1 is not found), and this \
             libtorch does not support MPS, or this is not an Apple computer with a GPU"
        );
    }
}
