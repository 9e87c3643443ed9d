"""Compiles the C++ of torch-sys once for all projects.

torch-sys is the crate that binds libtorch. Its build script compiles 60,000 lines of generated C++, which takes a minute of CPU, again
for each project and each profile. The set-up compiles them into the cache instead, and tells cargo to link the result in place of running
the build script (https://doc.rust-lang.org/cargo/reference/build-scripts.html#overriding-build-scripts).
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

TARGETS = {
    ("Linux", "x86_64"): "x86_64-unknown-linux-gnu",
    ("Linux", "aarch64"): "aarch64-unknown-linux-gnu",
    ("Darwin", "arm64"): "aarch64-apple-darwin",
}

# A training step takes as long with -O1 (50 s of CPU) as with -O3 (87 s); with -O0 it takes 4.5 % longer.
FLAGS = ["-O1", "-fPIC", "-std=c++17", "-w", "-D_GLIBCXX_USE_CXX11_ABI=1", "-DGLOG_USE_GLOG_EXPORT"]
SOURCES = ["torch_api", "torch_api_generated"]


class NotCompiled(Exception):
    """The reason why there is no compiled torch-sys; cargo then runs its build script, as it does without a set-up."""


class Bindings:
    """The compiled C++ of torch-sys for one libtorch, in the cache."""

    def __init__(self, workspace, cache, libtorch):
        self.libtorch = libtorch
        self.target = TARGETS.get((platform.system(), platform.machine()))
        if self.target is None:
            raise NotCompiled(f"this is not prepared for {platform.system()} on {platform.machine()}")
        self.sources, self.version = torch_sys(workspace, self.target)
        self.folder = cache / f"torch-sys-{self.version}-{name_of(libtorch, cache)}"

    def are_compiled(self):
        return (self.folder / "libtch.a").exists()

    def compile(self):
        """Compiles in a temporary folder, which is renamed to `folder` at the end."""
        print(f"compiling the C++ of torch-sys {self.version} for all projects, which takes about a minute", flush=True)
        incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=self.folder.parent))
        try:
            include = self.libtorch / "include"
            command = [os.environ.get("CXX") or "c++", *FLAGS, f"-I{include}", f"-I{include}/torch/csrc/api/include"]
            at_once([*command, "-c", f"{self.sources / source}.cpp", "-o", f"{incoming / source}.o"] for source in SOURCES)
            archive = [os.environ.get("AR") or "ar", "crs", incoming / "libtch.a"]
            at_once([[*archive, *(incoming / f"{source}.o" for source in SOURCES)]])
            for source in SOURCES:
                (incoming / f"{source}.o").unlink()
            shutil.rmtree(self.folder, ignore_errors=True)
            incoming.chmod(0o755)
            incoming.rename(self.folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def config(self):
        """The section of .cargo/config.toml that replaces the build script of torch-sys; the keys after the first two reach other
        build scripts as DEP_TCH_LIBTORCH_LIB, as that of the build script does, and DEP_TCH_TORCH_SYS."""
        lib = self.libtorch / "lib"
        libraries = ["static=tch", "torch_cpu", "torch", "c10"]
        if (lib / "libtorch_cuda.so").exists():
            libraries.insert(1, "torch_cuda")
        if "linux" in self.target:
            libraries.append("gomp")
        return (f"# the C++ of torch-sys, which the set-up compiled, in place of its build script\n[target.{self.target}.tch]\n"
                f"rustc-link-search = {json.dumps([f'native={self.folder}', f'native={lib}'])}\n"
                f"rustc-link-lib = {json.dumps(libraries)}\n"
                f"libtorch_lib = {json.dumps(str(lib))}\n"
                f"torch_sys = {json.dumps(self.version)}\n\n")


def torch_sys(workspace, target):
    """The folder and the version of the torch-sys that Cargo.lock names, which cargo downloads where it is missing."""
    command = [os.environ.get("CARGO") or "cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    try:
        asked = subprocess.run(command, cwd=workspace, capture_output=True, text=True)
    except OSError as error:
        raise NotCompiled(f"cargo could not be started: {error.strerror}") from error
    if asked.returncode != 0:
        raise NotCompiled(f"`cargo metadata` failed: {first_error(asked.stderr)}")
    package = next(package for package in json.loads(asked.stdout)["packages"] if package["name"] == "torch-sys")
    return Path(package["manifest_path"]).parent / "libtch", package["version"]


def name_of(libtorch, cache):
    """A name that tells libtorchs apart: `2.13.0-cpu`, or a hash of a path outside of the cache."""
    if libtorch.parent.parent == cache:
        return libtorch.parent.name.removeprefix("libtorch-")
    return hashlib.sha256(str(libtorch).encode()).hexdigest()[:12]


def at_once(commands):
    """Runs commands in parallel, and raises for the first that fails."""
    running = []
    try:
        for command in commands:
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    except OSError as error:
        raise NotCompiled(f"{command[0]} could not be started: {error.strerror}") from error
    finally:
        ended = [(process, process.communicate()[1]) for process in running]
    for process, stderr in ended:
        if process.returncode != 0:
            raise NotCompiled(f"{process.args[0]} failed: {first_error(stderr)}")


def first_error(stderr):
    lines = stderr.strip().splitlines() or ["it gave no reason"]
    return next((line for line in lines if "error" in line), lines[-1])
