//! Whether CUDA can be used.

use crate::native::{cuda_driver_is_present, open_libtorch_cuda};
use std::fmt;
use std::sync::OnceLock;

/// Whether CUDA is usable, or which part of it is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CudaStatus {
    /// The number of GPUs that libtorch can use.
    Usable {
        /// The number of GPUs.
        devices: usize,
    },
    /// There is no NVIDIA driver.
    NoDriver,
    /// libtorch's CUDA half is missing or cannot be opened.
    NoLibrary {
        /// The reason that the loader gave.
        reason: String,
    },
    /// The driver and the library exist, but there is no GPU.
    NoDevice,
}

impl fmt::Display for CudaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usable { devices: 1 } => f.write_str("usable, with 1 GPU"),
            Self::Usable { devices } => write!(f, "usable, with {devices} GPUs"),
            Self::NoDriver => f.write_str("no NVIDIA driver is installed on this machine (libcuda.so.1 is not found)"),
            Self::NoLibrary { reason } => {
                write!(
                    f,
                    "libtorch's CUDA library cannot be loaded ({reason}); `TCH_LIGHTNING_TORCH=cuda make setup` installs it"
                )
            }
            Self::NoDevice => f.write_str(
                "driver and libtorch are there, but no GPU is visible to them (is CUDA_VISIBLE_DEVICES empty?)",
            ),
        }
    }
}

/// Opens libtorch's CUDA half once if there is a driver, and returns the outcome.
pub(super) fn load() -> CudaStatus {
    static STATUS: OnceLock<CudaStatus> = OnceLock::new();
    STATUS.get_or_init(first_load).clone()
}

fn first_load() -> CudaStatus {
    if !cuda_driver_is_present() {
        return CudaStatus::NoDriver;
    }
    if let Err(reason) = open_libtorch_cuda() {
        return CudaStatus::NoLibrary { reason };
    }
    match usize::try_from(tch::Cuda::device_count()) {
        Ok(devices) if devices > 0 => CudaStatus::Usable { devices },
        _ => CudaStatus::NoDevice,
    }
}
