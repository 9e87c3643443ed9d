//! Checks the C++ of torch-sys that `.cargo/config.toml` may name in place of its build script.

use std::path::Path;

/// The torch-sys of Cargo.toml.
pub const TORCH_SYS_VERSION: &str = "0.26.0";

/// Checks the version of the compiled C++, `compiled`, and that `LIBTORCH` is the one whose `lib` folder cargo links. Cargo checks neither.
///
/// # Errors
/// What does not fit, and how to correct it.
pub fn check(compiled: &str, lib: &Path, libtorch: Option<&Path>) -> Result<(), String> {
    let advice =
        "run tch-lightning's set-up again (`make setup`, or `python3 setup/libtorch.py FOLDER` for another project)";
    if compiled != TORCH_SYS_VERSION {
        return Err(format!(
            "the C++ of torch-sys that .cargo/config.toml names is of version {compiled}, but this crate needs \
             {TORCH_SYS_VERSION}: {advice}"
        ));
    }
    match libtorch {
        Some(libtorch) if libtorch.join("lib") != lib => Err(format!(
            "LIBTORCH is {}, but .cargo/config.toml links the libtorch in {}: {advice}, or unset LIBTORCH",
            libtorch.display(),
            lib.display()
        )),
        _ => Ok(()),
    }
}
