"""Builds the packages for crates.io, and a program with them: the first one of the README.

`make package` runs this. It unpacks both packages next to each other, so that the program finds nothing of the checkout, and shares the
checkout's target folder. `python3 setup/package.py FOLDER` only unpacks the packages into FOLDER: the tests build the README's programs
with them.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = {"macros": "tch-lightning-macros", "runtime": "tch-lightning"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="only unpack the packages into this folder")
    only_unpacked = parser.parse_args().folder
    try:
        target = Path(metadata_target())
        if only_unpacked:
            package(target, only_unpacked.absolute())
            return
        folder = target / "package/readme"
        package(target, folder)
        write_program(folder)
        shutil.copytree(CHECKOUT / ".cargo", folder / ".cargo", dirs_exist_ok=True)
        cargo("run", "--quiet", "--offline", "--target-dir", target, "--", "fit", "--max-epochs", "1", cwd=folder)
        print("both packages and the README's program with them: built and run")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: `{' '.join(map(str, error.cmd))}` failed")


def metadata_target():
    return os.environ.get("CARGO_TARGET_DIR") or CHECKOUT / "target"


def package(target, folder):
    """Creates the packages and unpacks them into the folder. cargo need not verify them, as the program is built with them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES.values():
        for old in (target / "package").glob(f"{name}-[0-9]*.crate"):
            old.unlink()
    # in one call, as the second needs the first, which need not be published
    selected = [argument for name in PACKAGES.values() for argument in ("-p", name)]
    cargo("package", "--quiet", "--no-verify", "--allow-dirty", "--offline", "--target-dir", target, *selected, cwd=CHECKOUT)
    for short, name in PACKAGES.items():
        [crate] = (target / "package").glob(f"{name}-[0-9]*.crate")
        unpack(crate, folder / short)


def unpack(crate, folder):
    """Makes a folder the contents of a package. Unchanged files are left as they are, so that cargo builds again what has changed: all files
    of a package have the same time."""
    with tarfile.open(crate) as archive:
        # each is in a folder of the package's name and version
        files = {folder.joinpath(*Path(member.name).parts[1:]): archive.extractfile(member).read() for member in archive if member.isfile()}
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in files]:
        path.unlink()
    for path, contents in files.items():
        if not path.is_file() or path.read_bytes() != contents:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)


def write_program(folder):
    """Writes the README's first program with the dependencies that the README names, and patches them to the unpacked packages."""
    readme = (CHECKOUT / "README.md").read_text()
    program, build_script, data = re.findall(r"```rust\n(.*?)```", readme, re.DOTALL)[:3]
    [dependencies] = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    dependencies = dependencies.replace("../tch-lightning/runtime", "runtime")
    patch = '[patch.crates-io]\ntch-lightning-macros = { path = "macros" }\n'
    head = '[package]\nname = "readme"\nedition = "2024"\n\n[workspace]\nexclude = ["macros", "runtime"]\n'
    (folder / "Cargo.toml").write_text(f"{head}\n{dependencies}\n{patch}")
    shutil.copy(CHECKOUT / "Cargo.lock", folder)
    (folder / "build.rs").write_text(build_script)
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/main.rs").write_text(f"{program}\n{data}")


def cargo(*arguments, cwd):
    subprocess.run([os.environ.get("CARGO") or "cargo", *map(str, arguments)], cwd=cwd, check=True)


if __name__ == "__main__":
    main()
