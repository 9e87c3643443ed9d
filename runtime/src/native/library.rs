//! Shared libraries that are opened while the program runs.

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::path::PathBuf;

/// Opens a library with its symbols for all, and keeps it open until the program ends.
pub(crate) fn open_library(name: &str) -> Result<(), String> {
    // SAFETY: the constructors of `libcuda` and `libtorch_cuda` may run at any time: they register kernels and nothing else.
    let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) }.map_err(|error| error.to_string())?;
    // libtorch keeps pointers into it
    std::mem::forget(library);
    Ok(())
}

/// The file of the libtorch that this process has loaded.
pub(crate) fn loaded_libtorch() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths
        .map(PathBuf::from)
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libtorch_cpu")))
}
