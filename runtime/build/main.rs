//! Compiles `native/*.cpp` against the libtorch that torch-sys found, and passes the folder of that libtorch on to dependents.

mod compiled_bindings;
mod declarations;
mod empty_libtorch;
mod nccl;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The libtorch that the crate is written for. `Tensor`'s layout and the operators' signatures change between minor versions.
const LIBTORCH_VERSION: &str = "2.13";

/// The boundary between Rust and C++.
const DECLARATIONS: [&str; 3] =
    ["src/native/declarations.rs", "src/native/steps/declarations.rs", "src/native/distributed/declarations.rs"];

fn main() {
    println!("cargo::rerun-if-changed=native");
    DECLARATIONS.iter().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    if cfg!(feature = "doc-only") {
        return;
    }
    if let Err(sentence) = build() {
        println!("cargo::error={sentence}");
    }
}

fn build() -> Result<(), String> {
    let lib = env::var("DEP_TCH_LIBTORCH_LIB")
        .map(PathBuf::from)
        .map_err(|_| "torch-sys did not say where libtorch is: run `make setup`, or set LIBTORCH to its folder")?;
    if let Ok(compiled) = env::var("DEP_TCH_TORCH_SYS") {
        compiled_bindings::check(&compiled, &lib, variable("LIBTORCH").as_deref().map(Path::new))?;
    }
    let include = include_folder(&lib);
    check_version(&include)?;
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|_| "cargo did not say where to build")?);
    write_sources(&out)?;
    empty_libtorch::write(&compiler(&out, &include), &out)?;
    let nccl = nccl::begin(&compiler(&out, &include), &lib, &out);
    compile(&out, &include)?;
    nccl.end();
    link(&lib);
    Ok(())
}

/// Returns the include folder: next to the library folder, unless `LIBTORCH_INCLUDE` names another parent, as it may for torch-sys.
fn include_folder(lib: &Path) -> PathBuf {
    let parent = variable("LIBTORCH_INCLUDE").map(PathBuf::from);
    parent.unwrap_or_else(|| lib.parent().unwrap_or(lib).to_path_buf()).join("include")
}

fn check_version(include: &Path) -> Result<(), String> {
    let header = include.join("torch/headeronly/version.h");
    println!("cargo::rerun-if-changed={}", header.display());
    let advice = "run `make setup`, or set LIBTORCH to the folder of such a libtorch";
    let text = fs::read_to_string(&header).map_err(|error| {
        format!(
            "this crate needs libtorch {LIBTORCH_VERSION}, but its version header {} cannot be read ({error}): {advice}",
            header.display()
        )
    })?;
    let part = |name: &str| {
        let definition = format!("#define TORCH_VERSION_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&definition))
    };
    let found = format!("{}.{}", part("MAJOR").unwrap_or("?").trim(), part("MINOR").unwrap_or("?").trim());
    if found == LIBTORCH_VERSION || variable("LIBTORCH_BYPASS_VERSION_CHECK").is_some() {
        return Ok(());
    }
    Err(format!(
        "this crate needs libtorch {LIBTORCH_VERSION}, but the one in {} is {found}: {advice}",
        include.display()
    ))
}

/// Writes the header of the declarations, and a file that includes all others: reading libtorch's headers takes three seconds, for each
/// file on its own.
fn write_sources(out: &Path) -> Result<(), String> {
    let write = |name: &str, text: String| {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
    };
    let declared = DECLARATIONS
        .map(|path| fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}")))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    write("declarations.h", declarations::header(&declared)?)?;
    write("native.cpp", sources()?.iter().map(|path| format!("#include \"{}\"\n", path.display())).collect())
}

fn compile(out: &Path, include: &Path) -> Result<(), String> {
    let mut compiler = compiler(out, include);
    let compiled = compiler.file(out.join("native.cpp")).try_compile("tch_lightning_native");
    compiled.map_err(|error| format!("the files in `native` do not compile: {error}"))
}

/// Returns a compiler of C++ that includes libtorch's headers.
fn compiler(out: &Path, include: &Path) -> cc::Build {
    let abi = variable("LIBTORCH_CXX11_ABI").unwrap_or_else(|| "1".to_owned());
    let mut compiler = cc::Build::new();
    compiler
        .cpp(true)
        .std("c++17")
        .include(out)
        // for `gloo`, whose headers are not among libtorch's
        .include("native")
        .include(include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .define("GLOG_USE_GLOG_EXPORT", None)
        // with them, the headers of c10d have what libtorch has
        .define("USE_DISTRIBUTED", None)
        .define("USE_C10D_GLOO", None)
        // as libtorch was compiled: without it, some of its classes have another layout
        .define("NDEBUG", None)
        // libtorch's headers cause hundreds of warnings, and debugging into them is of no use
        .warnings(false)
        .debug(false)
        .opt_level(2);
    compiler
}

/// Returns the C++ files in `native`, sorted.
fn sources() -> Result<Vec<PathBuf>, String> {
    let folder = env::current_dir().map(|folder| folder.join("native"));
    let entries = folder.and_then(fs::read_dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut sources: Vec<PathBuf> = entries.map_err(|error| format!("the folder `native` cannot be read: {error}"))?;
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "cpp"));
    sources.sort();
    Ok(sources)
}

/// Links libtorch, and passes its folder on as `DEP_TCH_LIGHTNING_LIBTORCH_LIB`: dependents do not inherit a run path.
fn link(lib: &Path) {
    let lib = lib.display();
    println!("cargo::rustc-link-search=native={lib}");
    println!("cargo::rustc-link-lib=torch_cpu");
    println!("cargo::rustc-link-lib=c10");
    println!("cargo::metadata=LIBTORCH_LIB={lib}");
    if env::var("CARGO_CFG_UNIX").is_ok() {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
    }
}

/// Returns a variable that a user may set, and which then causes a new build. Those that cargo sets for this program are not in cargo's own
/// environment, with which it would compare them.
fn variable(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok()
}
