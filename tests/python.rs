//! The Python that `setup/python.py` makes.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns what the script of this folder prints when it is run with these arguments; `None`, after printing the reason, if there is no
/// Python to run it.
pub fn run<A: AsRef<OsStr>>(script: &str, arguments: impl IntoIterator<Item = A>) -> Option<String> {
    let Some(python) = python() else {
        println!("skipped: the set-up made no Python for the tests; `make test` makes it or says why not");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(&python).arg(script).args(arguments).env("OMP_NUM_THREADS", "1").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The one that `TCH_LIGHTNING_PYTHON` names, or the one in the cache.
fn python() -> Option<PathBuf> {
    if let Some(named) = env::var_os("TCH_LIGHTNING_PYTHON").filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let environment = environment(Path::new(&env::var_os("LIBTORCH")?))?;
    environment.join("libtorch").exists().then(|| environment.join("bin/python"))
}

/// Where the set-up puts the environment for a libtorch: beside the one in the cache, or under a name of its own.
fn environment(libtorch: &Path) -> Option<PathBuf> {
    let wheels = libtorch.parent()?;
    if let Some(kind) = wheels.file_name()?.to_str()?.strip_prefix("libtorch-") {
        return Some(wheels.with_file_name(format!("python-{kind}")));
    }
    Some(cache()?.join("python-named"))
}

/// The folder that all checkouts share.
pub fn cache() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty()).map(PathBuf::from);
    Some(cache.or_else(|| Some(env::home_dir()?.join(".cache")))?.join("tch-lightning"))
}
