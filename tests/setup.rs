//! The set-up: with a wrong libtorch, without pip, without a network, with a pip or a compiler that fails, and without the Python that
//! some tests need.

#[path = "../runtime/build/compiled_bindings.rs"]
mod compiled_bindings;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A pip that installs a libtorch of one header, slowly, and counts its calls.
const PIP: &str = r##"
import os, pathlib, sys, time
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
with open(os.environ["PIP_CALLS"], "a") as calls:
    calls.write("called\n")
header = target / "torch/include/torch/headeronly/version.h"
header.parent.mkdir(parents=True)
time.sleep(0.5)
if os.environ.get("PIP_BREAKS"):
    sys.exit("ERROR: the disk is gone")
header.write_text("#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n")
"##;

/// A C++ compiler that makes an empty object file, and counts its calls.
const COMPILER: &str = r##"#!/bin/sh
echo "$@" >> "$COMPILER_CALLS"
for last; do true; done
echo > "$last"
"##;

/// An empty project, an empty cache, and a pip of our own.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.path("project")).unwrap();
        machine.write("modules/pip/__main__.py", PIP);
        machine.write("modules/pip/__init__.py", "");
        machine.write("compiler", COMPILER);
        fs::set_permissions(machine.path("compiler"), fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// A libtorch that is its version's header alone.
    fn libtorch(&self, name: &str, [major, minor, patch]: [u32; 3]) -> PathBuf {
        let header = format!(
            "#define TORCH_VERSION_MAJOR {major}\n#define TORCH_VERSION_MINOR {minor}\n#define TORCH_VERSION_PATCH {patch}\n"
        );
        self.write(&format!("{name}/include/torch/headeronly/version.h"), &header);
        self.path(name)
    }

    /// The set-up of the project.
    fn setup(&self) -> Command {
        let mut command = self.script("libtorch.py");
        command.arg(self.path("project"));
        command
    }

    /// A script of the set-up, without options of pip or cargo from outside.
    fn script(&self, name: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../setup").join(name);
        let mut command = Command::new("python3");
        let foreign = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIP_"));
        foreign.for_each(|(name, _)| {
            command.env_remove(name);
        });
        command
            .arg(script)
            .env_remove("LIBTORCH")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("TCH_LIGHTNING_TORCH", "cpu")
            .env("PYTHONPATH", self.path("modules"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PIP_CALLS", self.path("calls"))
            .env("CXX", self.path("compiler"))
            .env("COMPILER_CALLS", self.path("compiled"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn config(&self) -> String {
        fs::read_to_string(self.path("project/.cargo/config.toml")).unwrap()
    }

    fn calls_of_pip(&self) -> usize {
        self.calls("calls")
    }

    fn calls(&self, file: &str) -> usize {
        fs::read_to_string(self.path(file)).map_or(0, |calls| calls.lines().count())
    }

    /// What is in the cache, except for its lock.
    fn cached(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cache/tch-lightning")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }
}

/// What a set-up leaves in an empty cache.
const INSTALLED: [&str; 2] = ["libtorch-2.13.0-cpu", "torch-sys-0.26.0-2.13.0-cpu"];

/// The sections of cargo's configuration that link compiled bindings.
fn compiled_bindings(config: &str) -> Option<&str> {
    let start = config.find("[target.")?;
    config[start..].split("\n\n").next()
}

/// The one sentence of a set-up that failed.
fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {said}")).trim_end().to_owned()
}

fn succeeded(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn libtorch_that_is_named_is_used() {
    let machine = Machine::new();
    let libtorch = machine.libtorch("torch", [2, 13, 0]);
    succeeded(machine.setup().env("LIBTORCH", &libtorch).spawn().unwrap());
    assert!(machine.config().contains(&format!("LIBTORCH = \"{}\"", libtorch.display())), "{}", machine.config());
    assert_eq!(machine.calls_of_pip(), 0);
}

#[test]
fn wrong_libtorch_is_refused() {
    let machine = Machine::new();
    let old = machine.libtorch("old", [2, 9, 1]);
    let said = refused(machine.setup().env("LIBTORCH", &old).output().unwrap());
    assert!(
        said.contains(
            "which contains libtorch 2.9.1, but 2.13.0 is required: set it to the folder of that version, or unset"
        ),
        "{said}"
    );
    let said = refused(machine.setup().env("LIBTORCH", machine.path("nowhere")).output().unwrap());
    assert!(said.contains("which does not contain libtorch: set it to the folder with its include and lib"), "{said}");
    let said = refused(machine.setup().env("TCH_LIGHTNING_TORCH", "rocm").output().unwrap());
    assert_eq!(said, "TCH_LIGHTNING_TORCH is rocm, but it must be cpu or cuda.");
    assert!(!machine.path("project/.cargo").exists());
}

#[test]
fn config_of_the_user_is_not_changed() {
    let machine = Machine::new();
    let libtorch = machine.libtorch("torch", [2, 13, 0]);
    machine.write("project/.cargo/config.toml", "[build]\njobs = 1\n");
    let said = refused(machine.setup().env("LIBTORCH", &libtorch).output().unwrap());
    assert!(said.contains("was not written by this set-up, so it was not changed: add LIBTORCH = "), "{said}");
    assert_eq!(machine.config(), "[build]\njobs = 1\n");
    assert_eq!(machine.calls("compiled"), 0);
}

#[test]
fn setups_at_the_same_time_install_once() {
    let machine = Machine::new();
    let [one, other] = [(); 2].map(|()| machine.setup().spawn().unwrap());
    succeeded(one);
    succeeded(other);
    assert_eq!(machine.calls_of_pip(), 1);
    assert_eq!(machine.cached(), INSTALLED);
    succeeded(machine.setup().spawn().unwrap());
    assert_eq!((machine.calls_of_pip(), machine.calls("compiled")), (1, 2));
    assert!(machine.config().contains("cache/tch-lightning/libtorch-2.13.0-cpu/torch\""), "{}", machine.config());
}

#[test]
fn installation_that_fails_leaves_nothing_incomplete() {
    let machine = Machine::new();
    let said = refused(machine.setup().env("PIP_BREAKS", "1").output().unwrap());
    assert_eq!(said, "pip could not install libtorch: the disk is gone");
    assert!(machine.cached().is_empty(), "{:?}", machine.cached());

    // a set-up that is killed cannot clear away; the next one does
    let mut killed = machine.setup().spawn().unwrap();
    while machine.calls_of_pip() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(machine.cached().iter().all(|name| name.starts_with(".incoming-")), "{:?}", machine.cached());
    // its pip, which holds no lock, comes to its own end
    std::thread::sleep(std::time::Duration::from_secs(1));
    succeeded(machine.setup().spawn().unwrap());
    assert_eq!(machine.cached(), INSTALLED);
}

#[test]
fn setup_without_pip_names_what_to_install() {
    let machine = Machine::new();
    // `-S` skips the folders in which pip is
    let script = machine.setup();
    let arguments: Vec<_> = std::iter::once("-S".as_ref()).chain(script.get_args()).collect();
    let mut command = Command::new("python3");
    command
        .args(arguments)
        .env_remove("PYTHONPATH")
        .env_remove("LIBTORCH")
        .env("XDG_CACHE_HOME", machine.path("cache"));
    let said = refused(command.env("TCH_LIGHTNING_TORCH", "cpu").output().unwrap());
    assert!(said.contains("has no pip, which installs libtorch: install pip"), "{said}");
}

#[test]
fn setup_without_a_network_says_so() {
    let machine = Machine::new();
    let mut setup = machine.setup();
    // the discard port, on which nothing listens
    setup
        .env_remove("PYTHONPATH")
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_CONFIG_FILE", "/dev/null");
    let said = refused(setup.output().unwrap());
    assert!(said.starts_with("the Python package index cannot be reached: connect to the network"), "{said}");
    assert!(machine.cached().is_empty(), "{:?}", machine.cached());
}

#[test]
fn tests_that_need_the_wheels_python_are_skipped_without_it() {
    let machine = Machine::new();
    let libtorch = machine.libtorch("torch", [2, 13, 0]);
    let skipped = || {
        let output = machine.script("python.py").env("LIBTORCH", &libtorch).output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        let reason = said.strip_prefix("the tests that ask PyTorch in Python are skipped: ");
        reason.unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
    };
    assert_eq!(skipped(), format!("the libtorch in {} does not contain PyTorch's Python module.", libtorch.display()));
    machine.write("torch/_C.cpython-399-x86_64-linux-gnu.so", "");
    assert_eq!(skipped(), "the wheel of PyTorch is for Python 3.99, which is not installed: install python3.99.");
    fs::remove_file(machine.path("torch/_C.cpython-399-x86_64-linux-gnu.so")).unwrap();

    // the pip of this machine brings no NumPy
    let own =
        Command::new("python3").args(["-c", "import sys; print('%d%d' % sys.version_info[:2])"]).output().unwrap();
    let own = String::from_utf8(own.stdout).unwrap();
    machine.write(&format!("torch/_C.cpython-{}-x86_64-linux-gnu.so", own.trim()), "");
    let said = skipped();
    assert!(said.ends_with("failed: ModuleNotFoundError: No module named 'numpy'"), "{said}");
    assert_eq!(machine.calls_of_pip(), 1);
    assert!(machine.cached().is_empty(), "{:?}", machine.cached());
}

#[test]
fn bindings_are_compiled_once_for_all_projects() {
    let machine = Machine::new();
    let libtorch = machine.libtorch("cache/tch-lightning/libtorch-2.13.0-cpu/torch", [2, 13, 0]);
    fs::create_dir(machine.path("other")).unwrap();
    for project in ["project", "other"] {
        succeeded(machine.script("libtorch.py").arg(machine.path(project)).spawn().unwrap());
    }
    assert_eq!(machine.calls("compiled"), 2, "one for each source file");
    let config = machine.config();
    assert_eq!(config, fs::read_to_string(machine.path("other/.cargo/config.toml")).unwrap());
    let bindings = machine.path("cache/tch-lightning/torch-sys-0.26.0-2.13.0-cpu");
    assert!(bindings.join("libtch.a").exists());
    let section = compiled_bindings(&config).unwrap();
    let [bindings, lib] = [bindings, libtorch.join("lib")].map(|folder| folder.display().to_string());
    assert!(section.contains(&format!("rustc-link-search = [\"native={bindings}\", \"native={lib}\"]")), "{section}");
    assert!(section.contains("\"static=tch\", \"torch_cpu\", \"torch\", \"c10\""), "{section}");
    assert!(section.contains(&format!("libtorch_lib = \"{lib}\"\ntorch_sys = \"0.26.0\"")), "{section}");

    // those of a libtorch elsewhere are others
    let named = machine.libtorch("torch", [2, 13, 0]);
    succeeded(machine.setup().env("LIBTORCH", &named).spawn().unwrap());
    assert_eq!((machine.calls("compiled"), machine.cached().len()), (4, 3));
}

#[test]
fn torch_sys_build_script_runs_without_compiled_bindings() {
    let machine = Machine::new();
    let libtorch = machine.libtorch("torch", [2, 13, 0]);
    let reason = |setup: &mut Command| {
        let output = setup.env("LIBTORCH", &libtorch).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.lines().count() == 1, "{said}");
        assert_eq!(compiled_bindings(&machine.config()), None);
        assert!(machine.cached().is_empty(), "{:?}", machine.cached());
        let sentence =
            "the C++ of torch-sys is not compiled ahead, so each project compiles it in its own first build: ";
        said.strip_prefix(sentence).unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
    };
    assert_eq!(
        reason(machine.setup().env("CXX", "no-compiler")),
        "no-compiler could not be started: No such file or directory"
    );
    // a header alone is not enough for a compiler
    let said = reason(machine.setup().env_remove("CXX"));
    assert!(said.starts_with("c++ failed: ") && said.contains("error: "), "{said}");
    assert_eq!(
        reason(machine.setup().env("CARGO", "no-cargo")),
        "cargo could not be started: No such file or directory"
    );
}

#[test]
fn compiled_bindings_of_another_version_are_refused_by_the_build() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // the version that the build script compares with is the one in Cargo.toml and in Cargo.lock
    let read = |name: &str| fs::read_to_string(checkout.join(name)).unwrap();
    assert_eq!(compiled_bindings::TORCH_SYS_VERSION, "0.26.0");
    assert!(read("Cargo.toml").contains("\ntorch-sys = { version = \"=0.26.0\""));
    assert!(read("Cargo.lock").contains("name = \"torch-sys\"\nversion = \"0.26.0\""));

    let [lib, other] = ["/one/lib", "/other"].map(Path::new);
    let said = compiled_bindings::check("0.25.0", lib, None).unwrap_err();
    assert!(
        said.starts_with(
            "the C++ of torch-sys that .cargo/config.toml names is of version 0.25.0, but this crate needs 0.26.0: run"
        ),
        "{said}"
    );
    let said = compiled_bindings::check("0.26.0", lib, Some(other)).unwrap_err();
    assert!(
        said.starts_with("LIBTORCH is /other, but .cargo/config.toml links the libtorch in /one/lib: run"),
        "{said}"
    );
    compiled_bindings::check("0.26.0", lib, Some(Path::new("/one"))).unwrap();
    compiled_bindings::check("0.26.0", lib, None).unwrap();
}
