//! Shared libraries that are opened at run time, above all libtorch's CUDA half.
//!
//! A Rust program is linked with `--as-needed`, which drops `libtorch_cuda.so` because no symbol of it is used. It is opened here instead,
//! and only if it can be used: opening it takes 0.2 s and 270 MB.

#[cfg(target_os = "linux")]
use super::declarations::lightning_empty_libtorch;
use libloading::AsFilename;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Opens a library with global symbols, until the program ends.
fn open_library(name: impl AsFilename) -> Result<(), String> {
    // SAFETY: the constructors of `libcuda` and `libtorch_cuda` may run at any time: they register kernels and nothing else. The empty
    // library has none.
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

/// Opens an empty library under the name of `libtorch.so`, once, for libraries of AOTInductor, which need one of that name.
///
/// PyTorch's own is as empty, but opens `libtorch_cuda.so` and with it all libraries of CUDA, which a machine without a GPU may not have.
#[cfg(target_os = "linux")]
pub(crate) fn open_empty_libtorch() -> Result<(), String> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    let open = || {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("libtorch.so");
        let mut length = 0;
        // SAFETY: the entry point writes the length of the array, which lives as long as the program, and returns where it begins.
        let bytes = unsafe {
            let start = lightning_empty_libtorch(&raw mut length);
            std::slice::from_raw_parts(start.cast::<u8>(), length)
        };
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
        // it stays open without its file
        open_library(path.as_path())
    };
    OPENED.get_or_init(open).clone()
}

/// Runs before `main`, where it opens libtorch's CUDA half if there is a driver and the program may use a GPU.
///
/// libtorch decides at the first question about CUDA whether it has a CUDA half, and `manual_seed` asks that question; at the first
/// backward pass it starts a thread for each device known then. Both may come from the user's own code, before any call of this crate.
#[cfg(target_os = "linux")]
extern "C" fn at_start() {
    // glibc has passed the arguments to the standard library by now; elsewhere there are none, and nothing is skipped
    let arguments = std::env::args_os().skip(1);
    if may_use_a_gpu(arguments, std::env::var_os("CUDA_VISIBLE_DEVICES")) && cuda_driver_is_present() {
        // an error is reported at the next use of CUDA
        let _ = open_libtorch_cuda();
    }
}

/// Whether a program with these arguments may use a GPU. It cannot if `CUDA_VISIBLE_DEVICES` is empty or begins with a negative index, at
/// which CUDA stops reading. One that only prints its help or version does not; if it does after all, a trainer opens CUDA by itself.
#[cfg(target_os = "linux")]
fn may_use_a_gpu(mut arguments: impl Iterator<Item = OsString>, visible: Option<OsString>) -> bool {
    let is_hidden = visible.is_some_and(|visible| {
        let visible = visible.to_string_lossy();
        visible.trim().is_empty() || visible.trim_start().starts_with('-')
    });
    !is_hidden && !arguments.any(|argument| PRINTED.iter().any(|printed| argument == *printed))
}

/// The flags after which a program prints something and ends.
#[cfg(target_os = "linux")]
const PRINTED: [&str; 5] = ["--help", "-h", "--version", "-V", "--print-config"];

// SAFETY: the loader calls the functions in this section with no lock of Rust's held, after the constructors of libtorch. `at_start` uses
// only files, the environment and memory, which glibc has initialized by then, and cannot unwind.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = at_start;

/// Returns the file of the libtorch that this process has loaded.
pub(crate) fn loaded_libtorch() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths
        .map(PathBuf::from)
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libtorch_cpu")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn cuda_is_opened_only_for_programs_that_may_use_a_gpu() {
        let may = |arguments: &[&str], visible: Option<&str>| {
            may_use_a_gpu(arguments.iter().map(OsString::from), visible.map(OsString::from))
        };
        for visible in [None, Some("0"), Some("1,-1"), Some("GPU-8932f937")] {
            assert!(may(&["fit", "--max-epochs", "3"], visible), "{visible:?}");
            assert!(may(&[], visible), "{visible:?}");
        }
        for visible in ["", " ", "-1", "-1,0", " -1"] {
            assert!(!may(&["fit"], Some(visible)), "{visible:?}");
        }
        for arguments in [&["--help"] as &[_], &["fit", "-h"], &["--version"], &["fit", "--lr", "1", "--print-config"]]
        {
            assert!(!may(arguments, None), "{arguments:?}");
        }
    }
}
