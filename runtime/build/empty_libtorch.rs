//! Builds an empty library under the name of `libtorch.so`, whose bytes `native/aot_inductor.cpp` includes.

use std::path::Path;
use std::{env, fs};

/// The file with the bytes, as the initializer of an array in C++.
const BYTES: &str = "empty_libtorch.inc";

/// Builds the library for Linux, and writes its bytes. Elsewhere it is not needed, and there is one byte.
pub fn write(compiler: &cc::Build, out: &Path) -> Result<(), String> {
    let is_linux = env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux");
    let bytes = if is_linux { library(compiler, out)? } else { vec![0] };
    let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
    fs::write(out.join(BYTES), bytes.join(","))
        .map_err(|error| format!("{BYTES} cannot be written in {}: {error}", out.display()))
}

fn library(compiler: &cc::Build, out: &Path) -> Result<Vec<u8>, String> {
    let failed = |reason: String| format!("an empty libtorch.so cannot be built: {reason}");
    let path = out.join("libtorch.so");
    let mut command = compiler.try_get_compiler().map_err(|error| failed(error.to_string()))?.to_command();
    command.args(["-shared", "-nostdlib", "-Wl,-soname,libtorch.so", "-x", "c++", "/dev/null", "-o"]).arg(&path);
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    fs::read(&path).map_err(|error| failed(error.to_string()))
}
