//! What users are told: each file in `ui/fail/` is a mistake, the `.stderr` beside it what the compiler says to it.
//!
//! When a message has changed on purpose, `TRYBUILD=overwrite cargo test -p tests --test ui` writes it down; read what
//! it wrote. `cargo test -p tests --test ui -- ui trybuild=name` runs the cases whose paths contain `name`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[test]
fn ui() {
    leave_libtorch_out(&target_directory().join("tests/trybuild"));
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

/// Spares the cases the C++ of their dependencies.
///
/// trybuild builds in a folder of its own, where torch-sys's C++ would be compiled a second time, for minutes. The cases
/// are checked and never linked, so they need none of it. Cargo lets a configuration answer for the build script of a
/// package with a `links` key, which is then neither compiled nor run, and it looks for configurations from the folder in
/// which it runs upwards: one in trybuild's folder holds for the cases and for nothing else.
fn leave_libtorch_out(folder: &Path) {
    let target = host();
    let configuration = format!(
        "# written by tests/ui.rs, which says why\n\
         [target.{target}.tch]\n\
         \n\
         [target.{target}.tch_lightning]\n\
         libtorch_lib = \"nothing is linked\"\n"
    );
    let folder = folder.join(".cargo");
    let file = folder.join("config.toml");
    // an untouched file keeps what cargo has built
    if fs::read_to_string(&file).is_ok_and(|found| found == configuration) {
        return;
    }
    fs::create_dir_all(&folder).and_then(|()| fs::write(&file, configuration)).unwrap();
}

/// Where cargo builds, as trybuild asks it.
fn target_directory() -> PathBuf {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]));
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    metadata["target_directory"].as_str().unwrap().into()
}

/// The platform for which the cases are checked: the one on which the test runs.
fn host() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output(Command::new(rustc).arg("-vV"));
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
