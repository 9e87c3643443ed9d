"""Copies a program and the libraries of libtorch that it needs into a folder that runs on other machines.

`make bundle` does this for an example; `python3 setup/bundle.py PROGRAM FOLDER` for any program whose build script adds `$ORIGIN` to the
run path, as the README shows. Everything is stripped. The system's own libraries (glibc, libstdc++) are not copied, and neither is
libtorch's CUDA half: a bundled program computes on the CPU.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


class Refused(Exception):
    """An error for the user: a sentence that says what is wrong and how to fix it."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the program, such as target/release/my-project")
    parser.add_argument("folder", type=Path, help="the new folder")
    arguments = parser.parse_args()
    try:
        bundle(arguments.program, arguments.folder)
        size = sum(file.stat().st_size for file in arguments.folder.iterdir())
        print(f"{arguments.folder}: {arguments.program.name} and its libraries, {size / 1e6:.0f} MB")
    except Refused as sentence:
        sys.exit(f"error: {sentence}")
    except OSError as error:
        sys.exit(f"error: {error.filename or arguments.folder} cannot be written: {error.strerror}.")


def bundle(program, folder):
    """Creates the folder next to its place, and renames it at the end."""
    if not program.is_file():
        raise Refused(f"{program} is not a file: build the program first, by `cargo build --release`.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=folder.parent))
    try:
        for file in [program, *libraries(program)]:
            copy = incoming / file.name
            shutil.copy(file, copy)
            run("strip", copy)
        foreign = [file for file in libraries(incoming / program.name) if file.parent != incoming.resolve()]
        if foreign:
            raise Refused(f"{program} still loads {foreign[0]}: add `$ORIGIN:` to the run path in build.rs, as the README shows.")
        incoming.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        incoming.rename(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def libraries(program):
    """Returns the libraries that a program loads, without the system's."""
    listed = run("ldd", program)
    if missing := re.search(r"(\S+) => not found", listed):
        raise Refused(f"{program} needs {missing[1]}, which the loader does not find.")
    found = [Path(path) for path in re.findall(r"=> (/\S+) \(", listed)]
    # by the loader's name for it, which may be that of a link
    return [path.parent.resolve() / path.name for path in found if not str(path).startswith(SYSTEM)]


def run(tool, file):
    try:
        environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        ended = subprocess.run([tool, file], capture_output=True, text=True, env=environment)
    except FileNotFoundError as error:
        raise Refused(f"{tool} is not installed: it is part of binutils or glibc.") from error
    if ended.returncode != 0:
        raise Refused(f"`{tool} {file}` failed: {ended.stderr.strip()}")
    return ended.stdout


if __name__ == "__main__":
    main()
