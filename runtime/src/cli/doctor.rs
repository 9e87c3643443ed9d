//! The `doctor` command: libtorch, devices and threads of this machine.

use crate::device::{Accelerator, Devices, cuda_status, mps_is_available};
use crate::native::{libtorch_version, loaded_libtorch, nccl_library};
use tch::Device;

/// Returns the report of `doctor`, one line per item.
pub(super) fn report() -> String {
    let path = loaded_libtorch()
        .map_or_else(|| "not found among the loaded libraries".to_owned(), |path| path.display().to_string());
    let cores = std::thread::available_parallelism()
        .map_or_else(|_| "an unknown number of".to_owned(), |cores| cores.to_string());
    let lines = [
        ("tch-lightning", env!("CARGO_PKG_VERSION").to_owned()),
        ("libtorch", libtorch_version().to_owned()),
        ("loaded from", path),
        ("cuda", cuda_status().to_string()),
        ("nccl", nccl_library().map_or_else(|reason| reason, |_| "built with this program".to_owned())),
        ("mps", if mps_is_available() { "usable" } else { "not in this libtorch" }.to_owned()),
        (
            "threads",
            format!(
                "{} within an operator, {} across operators, {cores} cores",
                tch::get_num_threads(),
                tch::get_num_interop_threads()
            ),
        ),
        ("accelerator auto", auto()),
    ];
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    lines.map(|(name, found)| format!("{name:width$}  {found}")).join("\n")
}

fn auto() -> String {
    match Accelerator::Auto.device(&Devices::Auto) {
        Ok(Device::Cpu) => "computes on the CPU".to_owned(),
        Ok(Device::Mps) => "computes on the GPU, with MPS".to_owned(),
        Ok(device) => format!("computes on the GPU, as {device:?}"),
        Err(error) => error.to_string(),
    }
}
