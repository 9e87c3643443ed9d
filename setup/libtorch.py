"""Finds or installs libtorch, compiles its bindings, and tells cargo where both are.

`make setup` runs this for the checkout; `python3 setup/libtorch.py FOLDER` does the same for another cargo project. It
writes FOLDER/.cargo/config.toml, after which cargo and rust-analyzer need no environment variables there.
"""

import argparse
import contextlib
import fcntl
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bindings import Bindings, NotCompiled

VERSION = "2.13.0"
HERE = Path(__file__).resolve().parent
MARK = "# Written by tch-lightning's set-up, which may write it again.\n"

# The versions of Python with a pinned wheel. Any other Python uses the wheel of the last one.
PYTHONS = ["3.10", "3.11", "3.13", "3.14", "3.12"]

# The wheel tags of each platform. They are listed so that the running Python need not be a version that PyTorch has a wheel for.
WHEELS = {
    ("Linux", "x86_64"): [*(f"manylinux_2_{glibc}" for glibc in (28, 27, 25, 24, 18, 17, 12, 5)), "manylinux2014"],
    ("Linux", "aarch64"): ["manylinux_2_28", "manylinux_2_25", "manylinux_2_17"],
    ("Darwin", "arm64"): ["macosx_14_0"],
}


class Refused(Exception):
    """An error for the user: a sentence that says what is wrong and how to fix it."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent, help="the project [default: this checkout]")
    folder = parser.parse_args().folder
    with errors_as_sentences():
        if not folder.is_dir():
            raise Refused(f"{folder} is not a folder: name the folder of a cargo project.")
        libtorch = named_libtorch() or cached_libtorch()
        check_config(folder, libtorch)
        write_config(folder, libtorch, compiled_bindings(libtorch))
        print(f"libtorch {VERSION} in {libtorch}")


@contextlib.contextmanager
def errors_as_sentences():
    """Ends the program with one sentence for an error that the user can correct."""
    try:
        yield
    except Refused as sentence:
        sys.exit(f"error: {sentence}")
    except OSError as error:
        sys.exit(f"error: the set-up could not write {error.filename or 'its files'}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit("error: the set-up was interrupted; it left no partial files.")


def named_libtorch():
    """Returns the libtorch that the environment variable LIBTORCH names, or None if it is not set."""
    named = os.environ.get("LIBTORCH")
    if not named:
        return None
    libtorch = Path(named).absolute()
    found = version_of(libtorch)
    if found is None:
        raise Refused(f"LIBTORCH is {libtorch}, which does not contain libtorch: set it to the folder with its include and lib, "
                      "or unset LIBTORCH to have libtorch installed.")
    if found != VERSION:
        raise Refused(f"LIBTORCH is {libtorch}, which contains libtorch {found}, but {VERSION} is required: set it to the folder of "
                      "that version, or unset LIBTORCH to have it installed.")
    return libtorch


def version_of(libtorch):
    """Returns the version in the header of the libtorch in a folder, or None if the folder does not contain one."""
    try:
        header = (libtorch / "include/torch/headeronly/version.h").read_text()
    except OSError:
        return None
    parts = [re.search(rf"#define TORCH_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part[1] for part in parts) if all(parts) else None


def cached_libtorch():
    """Returns the libtorch in the cache, which all checkouts share, and installs it first if it is missing."""
    kind = wanted_kind()
    cache = cache_folder()
    place = cache / f"libtorch-{VERSION}-{kind}"
    if version_of(place / "torch") != VERSION:
        cache.mkdir(parents=True, exist_ok=True)
        with only_one(cache):
            # another set-up may have installed it in the meantime
            if version_of(place / "torch") != VERSION:
                install(kind, cache, place)
    return place / "torch"


def compiled_bindings(libtorch):
    """Returns torch-sys's compiled C++ for a libtorch, and compiles it first if it is missing; None if that is not possible."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        bindings = Bindings(HERE.parent, cache, libtorch)
        if not bindings.are_compiled():
            with only_one(cache):
                # another set-up may have compiled them in the meantime
                if not bindings.are_compiled():
                    bindings.compile()
        return bindings
    except NotCompiled as reason:
        print(f"the C++ of torch-sys is not compiled ahead, so each project compiles it in its own first build: {reason}",
              file=sys.stderr)
        return None


def cache_folder():
    """Returns the folder that all checkouts share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tch-lightning"


def wanted_kind():
    """Returns `cpu` or `cuda`: the value of TCH_LIGHTNING_TORCH, or else by whether the machine has an NVIDIA driver."""
    has_cuda = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    asked = os.environ.get("TCH_LIGHTNING_TORCH") or ("cuda" if has_cuda and has_nvidia_driver() else "cpu")
    if asked not in ("cpu", "cuda"):
        raise Refused(f"TCH_LIGHTNING_TORCH is {asked}, but it must be cpu or cuda.")
    if asked == "cuda" and not has_cuda:
        raise Refused("libtorch with CUDA is installed on Linux x86-64 only: set LIBTORCH to the folder of one that you "
                      "installed, or TCH_LIGHTNING_TORCH=cpu.")
    return asked


def has_nvidia_driver():
    return Path("/proc/driver/nvidia/version").exists()


@contextlib.contextmanager
def only_one(cache):
    """Holds the lock of the cache, and removes the temporary folders that a killed set-up left there."""
    with open(cache / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up, which is installing libtorch or compiling its bindings", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in cache.glob(".incoming-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def install(kind, cache, place):
    """Installs the pinned wheels into a temporary folder, which is renamed to `place` at the end."""
    require_pip()
    size = "1.2" if kind == "cpu" else "3.8"
    print(f"installing libtorch {VERSION} ({kind}, {size} GB on the disk) into {place}", flush=True)
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=cache))
    try:
        wheels, scratch = incoming / "wheels", incoming / "scratch"
        scratch.mkdir()
        run_pip("libtorch", HERE / f"libtorch-{kind}.txt", wheels, scratch, python_at_hand())
        if version_of(wheels / "torch") != VERSION:
            raise Refused("pip succeeded, but the installed libtorch is incomplete: run `make setup` again.")
        shutil.rmtree(place, ignore_errors=True)
        wheels.rename(place)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def require_pip():
    if importlib.util.find_spec("pip") is None:
        raise Refused(f"{sys.executable} has no pip, which installs libtorch: install pip (python3-pip on Debian and "
                      f"Ubuntu), or set LIBTORCH to the folder of a libtorch {VERSION}.")


def python_at_hand():
    """Returns the version of the running Python if there is a wheel for it, so that the tests can use the wheel with this Python."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return own if own in PYTHONS else PYTHONS[-1]


def run_pip(what, requirements, target, scratch, python):
    """Installs pinned wheels for a version of Python, which may differ from the running one."""
    system, machine = platform.system(), platform.machine()
    tags = WHEELS.get((system, machine))
    if tags is None:
        raise Refused(f"PyTorch does not publish libtorch {VERSION} for {system} on {machine}: build it, and set LIBTORCH "
                      "to its folder.")
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    command += [f"--python-version={python}", "--implementation=cp", *(f"--platform={tag}_{machine}" for tag in tags)]
    command += ["--no-compile", "--no-cache-dir", "--disable-pip-version-check", "--root-user-action=ignore"]
    command += ["--progress-bar=on" if sys.stdout.isatty() else "--progress-bar=off", "--retries=2"]
    command += ["--target", str(target), "--requirement", str(requirements)]
    # pip unpacks into TMPDIR first; the default one may be too small or on another disk
    environment = {**os.environ, "TMPDIR": str(scratch), "PIP_USER": "0", "PYTHONNOUSERSITE": "1"}
    pip = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace")
    if pip.returncode != 0:
        raise Refused(reason(what, pip.stderr))


def reason(what, stderr):
    """Returns the reason for pip's failure."""
    def says(*words):
        return any(word in stderr for word in words)

    if says("No space left"):
        return "the disk is full: libtorch needs 1.2 GB for the CPU and 3.8 GB with CUDA, and twice that during the installation."
    if says("DO NOT MATCH THE HASHES"):
        return "the hash of a downloaded wheel is not the pinned one, so nothing was installed: run `make setup` again, and check your package index if this repeats."
    if says("Retrying (", "NewConnectionError", "Failed to establish", "Name or service not known", "ReadTimeout",
            "IncompleteRead", "ProtocolError"):
        return f"the Python package index cannot be reached: connect to the network and run `make setup` again, or set LIBTORCH to the folder of libtorch {VERSION}."
    last = [line for line in stderr.strip().splitlines() if line.startswith("ERROR:")] or stderr.strip().splitlines()
    return f"pip could not install {what}: {(last or ['it gave no reason'])[-1].removeprefix('ERROR:').strip()}"


def profile(kind, package, **settings):
    """The settings of a package in one of cargo's profiles."""
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    return f"\n[profile.{kind}.package.{package}]\n{''.join(lines).replace('_', '-')}"


# The packages whose code never runs in a training: two compressors that tch's dependents compile and never call, and what reads
# configuration files and prints tables. Without optimization they compile in a third of the time.
UNOPTIMIZED = ["zstd-sys", "bzip2-sys", "serde-saphyr", "granit-parser", "annotate-snippets", "clap_complete", "comfy-table"]

PROFILES = "".join([
    # where its C++ is not compiled ahead
    profile("dev", "torch-sys", debug=False),
    profile("release", "torch-sys", debug=False, opt_level=1),
    # each run hashes its program, which takes a second without optimization
    profile("dev", "twox-hash", opt_level=3),
    # each start makes the command line of 200 flags, a fifth of its time without optimization
    profile("dev", "clap_builder", opt_level=1),
    *(profile("release", package, debug=False, opt_level=0) for package in UNOPTIMIZED),
])


def check_config(folder, libtorch):
    """Refuses a .cargo/config.toml that the set-up did not write."""
    path = folder / ".cargo/config.toml"
    if path.exists() and not path.read_text().startswith(MARK):
        raise Refused(f"{path} was not written by this set-up, so it was not changed: add LIBTORCH = {json.dumps(str(libtorch))} "
                      "to its [env] section.")


def write_config(folder, libtorch, bindings):
    """Writes the folder's .cargo/config.toml: where libtorch and its bindings are, and the profiles of what is compiled against it."""
    path = folder / ".cargo/config.toml"
    run_path = json.dumps(f"-Clink-arg=-Wl,-rpath,{libtorch}/lib")
    text = (f"{MARK}[env]\nLIBTORCH = {json.dumps(str(libtorch))}\n\n"
            f"[build]\n# the tests in the documentation find libtorch when they start; other programs have a build script\n"
            f"rustdocflags = [{run_path}]\n\n{bindings.config() if bindings else ''}{PROFILES.lstrip()}")
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as incoming:
        incoming.write(text)
    os.replace(incoming.name, path)


if __name__ == "__main__":
    main()
