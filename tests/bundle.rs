//! A program that is bundled with its libraries, in an empty environment.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The names of the files, or how they begin.
const EXPECTED: [&str; 6] = ["libc10.so", "libcudart", "libcupti", "libgomp", "libtorch_cpu.so", "linked_data"];

#[test]
fn bundle_runs_with_nothing_but_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../setup/bundle.py");
    let arguments = [env!("CARGO_BIN_EXE_linked_data"), "bundle"];
    let bundled = Command::new("python3").arg(script).args(arguments).current_dir(&folder).output().unwrap();
    assert!(bundled.status.success(), "{}", String::from_utf8_lossy(&bundled.stderr));

    let mut names: Vec<_> =
        fs::read_dir(&bundle).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for (name, library) in names.iter().zip(EXPECTED) {
        assert!(name.starts_with(library), "{names:?}");
    }
    assert_eq!(names.len(), 6, "five libraries and the program: {names:?}");

    // moved, from another folder, and without an environment
    let moved = folder.path().join("moved");
    fs::rename(&bundle, &moved).unwrap();
    let program = moved.join("linked_data");
    let program = program.to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let start = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).env_clear().current_dir(&elsewhere).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let loaded = start("/usr/bin/ldd", &[program]);
    let paths = loaded.lines().filter_map(|line| line.split_once("=> ")).map(|(_, path)| Path::new(path));
    let (own, other): (Vec<_>, Vec<_>) = paths.partition(|path| path.starts_with(&moved));
    assert_eq!(own.len(), 5, "{loaded}");
    assert!(other.iter().all(|path| path.starts_with("/lib") || path.starts_with("/usr/lib")), "{loaded}");
    start(program, &["fit", "--text", "to be or not to be", "--max-epochs", "1"]);
    assert!(elsewhere.path().join("lightning_logs/version_0/checkpoints").is_dir());
}
