//! Builds the library with c10d's backend for GPUs, where libtorch has a CUDA half and the headers of CUDA and NCCL are installed. Without it,
//! only training on several GPUs is missing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Headers of each package that is needed.
const HEADERS: [&str; 7] =
    ["nccl.h", "cuda_runtime_api.h", "crt/host_defines.h", "nv/target", "cublas_v2.h", "cusparse.h", "cusolverDn.h"];

/// The compiler of the library, as it runs next to that of the other files.
pub struct Building(Result<(PathBuf, Child), String>);

/// Begins to build the library in `out`.
pub fn begin(compiler: &cc::Build, lib: &Path, out: &Path) -> Building {
    println!("cargo::rerun-if-changed=native/nccl");
    Building(start(compiler, lib, out))
}

impl Building {
    /// Waits for the library, and passes its path, or the reason why there is none, on to the crate.
    pub fn end(self) {
        let built = self.0.and_then(|(path, compiler)| {
            let output = compiler.wait_with_output().map_err(|error| format!("its compiler failed: {error}"))?;
            if output.status.success() {
                return Ok(path);
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let error = said.lines().find(|line| line.contains("error")).unwrap_or("without a message").to_owned();
            println!(
                "cargo::warning=training on several GPUs is not possible, as native/nccl does not compile: {error}"
            );
            Err(format!("it did not compile: {error}"))
        });
        match built {
            Ok(path) => println!("cargo::rustc-env=TCH_LIGHTNING_NCCL={}", path.display()),
            Err(reason) => println!("cargo::rustc-env=TCH_LIGHTNING_NCCL_MISSING={reason}"),
        }
    }
}

fn start(compiler: &cc::Build, lib: &Path, out: &Path) -> Result<(PathBuf, Child), String> {
    if !lib.join("libtorch_cuda.so").exists() {
        return Err("the libtorch that it was built with has no CUDA half".to_owned());
    }
    let folders = include_folders(lib);
    if let Some(header) = HEADERS.iter().find(|header| !folders.iter().any(|folder| folder.join(header).exists())) {
        return Err(format!("the header {header} was not found, neither next to libtorch nor in CUDA_HOME"));
    }
    let library = out.join("libtch_lightning_nccl.so");
    let mut compiler = compiler.clone();
    compiler.includes(&folders).define("USE_C10D_NCCL", None).define("USE_CUDA", None).pic(true);
    let mut command: Command = compiler.try_get_compiler().map_err(|error| error.to_string())?.to_command();
    // a symbol that is in none of these is found now, and not when the library is opened
    command.args(["-shared", "-Wl,--no-undefined", "native/nccl/backend.cpp", "-o"]).arg(&library);
    command.arg("-L").arg(lib).args(["-ltorch_cuda", "-ltorch_cpu", "-lc10_cuda", "-lc10"]);
    // libtorch's own dependencies are found when it is opened
    command.arg("-Wl,--allow-shlib-undefined").stdout(Stdio::null()).stderr(Stdio::piped());
    let running = command.spawn().map_err(|error| format!("its compiler did not start: {error}"))?;
    Ok((library, running))
}

/// Returns the include folders of CUDA's packages: those that Python's packages install next to libtorch, and those of the system.
fn include_folders(lib: &Path) -> Vec<PathBuf> {
    let packages = lib.ancestors().nth(2).map(|folder| folder.join("nvidia"));
    let packages = packages.and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = packages.map(|package| package.path().join("include")).collect();
    folders.sort();
    let homes = ["CUDA_HOME", "CUDA_PATH", "NCCL_HOME"].into_iter().filter_map(super::variable).map(PathBuf::from);
    let homes = homes.chain(["/usr/local/cuda".into(), "/usr".into()]).map(|home| home.join("include"));
    folders.extend(homes);
    folders.retain(|folder| folder.is_dir());
    folders
}
