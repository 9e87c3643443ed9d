//! Shared libraries that are opened while the program runs: libtorch's CUDA half above all.
//!
//! A Rust program is linked with `--as-needed`, which drops `libtorch_cuda.so` because nothing in it is named. It is opened
//! here instead, and only where it can serve: on a machine without a GPU it would cost every start 0.2 s and 270 MB.

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Opens a library with its symbols for all, and keeps it open until the program ends.
fn open_library(name: &str) -> Result<(), String> {
    // SAFETY: the constructors of `libcuda` and `libtorch_cuda` may run at any time: they register kernels and nothing else.
    let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) }.map_err(|error| error.to_string())?;
    // libtorch keeps pointers into it
    std::mem::forget(library);
    Ok(())
}

/// Whether the machine has an NVIDIA driver.
pub(crate) fn cuda_driver_is_present() -> bool {
    static PRESENT: OnceLock<bool> = OnceLock::new();
    *PRESENT.get_or_init(|| Path::new("/proc/driver/nvidia/version").exists() || open_library("libcuda.so.1").is_ok())
}

/// Opens libtorch's CUDA half, once.
pub(crate) fn open_libtorch_cuda() -> Result<(), String> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    OPENED.get_or_init(|| open_library("libtorch_cuda.so")).clone()
}

/// Before `main`, where a driver is present: libtorch decides at its first question about CUDA, and `manual_seed` asks one, whether
/// there is a CUDA half, and makes its threads for backward passes at the first of them, for the devices known then.
#[cfg(target_os = "linux")]
extern "C" fn at_start() {
    // CUDA_VISIBLE_DEVICES= says that a program is to see no GPU
    let hidden = std::env::var_os("CUDA_VISIBLE_DEVICES").is_some_and(|visible| visible.is_empty());
    if !hidden && cuda_driver_is_present() {
        // whoever asks for CUDA later is told why it is not there
        let _ = open_libtorch_cuda();
    }
}

// SAFETY: the loader calls what stands in this section with no lock of Rust's held, when libtorch's own constructors have run.
// `at_start` uses files, the environment and memory alone, which glibc has ready by then, and can't unwind.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = at_start;

/// The file of the libtorch that this process has loaded.
pub(crate) fn loaded_libtorch() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths
        .map(PathBuf::from)
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libtorch_cpu")))
}
