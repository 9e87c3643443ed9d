"""Creates a Python environment for the tests that compare with PyTorch itself, from the wheel that contains libtorch.

`make test` runs this after `setup/libtorch.py`. The virtual environment is in the same cache. If it cannot be created, this says why, and
those tests are skipped; nothing else needs it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from libtorch import HERE, Refused, cache_folder, cached_libtorch, named_libtorch, only_one, require_pip, run_pip

# Importing torch loads libraries of CUDA that the set-up for the CPU does not install. Nothing calls them there, so empty ones suffice as
# long as their functions are looked up lazily.
WITHOUT_CUDA = '''"""Lets torch start without the libraries of CUDA, none of which is called on a CPU."""
import ctypes
import os
import pathlib
import sys

for library in (pathlib.Path(__file__).parent / "without_cuda_libraries").iterdir():
    ctypes.CDLL(str(library))
sys.setdlopenflags(os.RTLD_LAZY)
'''


def main():
    try:
        print(f"Python for the tests: {environment()}")
    except Refused as sentence:
        print(f"the tests that ask PyTorch in Python are skipped: {sentence}", file=sys.stderr)
    except OSError as error:
        print(f"the tests that ask PyTorch in Python are skipped: the set-up could not write "
              f"{error.filename or 'its files'}: {error.strerror}.", file=sys.stderr)


def environment():
    """Returns the Python of the environment, and creates the environment first if it is missing."""
    libtorch = named_libtorch() or cached_libtorch()
    place = place_for(libtorch)
    if not is_made_for(place, libtorch):
        cache = cache_folder()
        cache.mkdir(parents=True, exist_ok=True)
        with only_one(cache):
            if not is_made_for(place, libtorch):
                make(libtorch, cache, place)
    return place / "bin/python"


def place_for(libtorch):
    """Returns the environment's folder, which the tests find in the same way (tests/pytorch_weights/python.rs)."""
    name = libtorch.parent.name
    kind = name.removeprefix("libtorch-") if name.startswith("libtorch-") else "named"
    return cache_folder() / f"python-{kind}"


def is_made_for(place, libtorch):
    """Whether the environment exists, with these packages and for this libtorch: both are written into it after it was tested."""
    try:
        return (place / "libtorch").read_text() == contents(libtorch)
    except OSError:
        return False


def contents(libtorch):
    return f"{libtorch}\n{(HERE / 'python.txt').read_text()}"


def make(libtorch, cache, place):
    """Creates the environment in a temporary folder, which is renamed to `place` at the end."""
    version = version_of_python(libtorch)
    python = find_python(version)
    require_pip()
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=cache))
    try:
        made, scratch = incoming / "python", incoming / "scratch"
        scratch.mkdir()
        subprocess.run([python, "-m", "venv", "--without-pip", made], check=True, capture_output=True)
        packages = made / f"lib/python{version}/site-packages"
        what = "NumPy, safetensors, TensorBoard, PyTorch Lightning, transformers, PEFT and torchvision"
        run_pip(what, HERE / "python.txt", packages, scratch, version)
        lines = [str(libtorch.parent)]
        if missing := missing_libraries(libtorch):
            replace(missing, packages / "without_cuda_libraries")
            (packages / "without_cuda.py").write_text(WITHOUT_CUDA)
            lines.append("import without_cuda")
        (packages / "libtorch.pth").write_text("".join(f"{line}\n" for line in lines))
        try_out(made / "bin/python")
        (made / "libtorch").write_text(contents(libtorch))
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    except subprocess.CalledProcessError as error:
        raise Refused(f"`{' '.join(map(str, error.cmd[:4]))}` failed: {last_line(error.stderr)}") from error
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def version_of_python(libtorch):
    """Returns the version of Python that the wheel is for, such as `3.12`."""
    for library in libtorch.glob("_C.cpython-*"):
        if tag := re.match(r"_C\.cpython-(\d)(\d+)-", library.name):
            return f"{tag[1]}.{tag[2]}"
    raise Refused(f"the libtorch in {libtorch} does not contain PyTorch's Python module.")


def find_python(version):
    """Returns a Python of this version: the running one, one on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in [sys.executable, f"python{version}", *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]:
        try:
            asked = subprocess.run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True,
                                   text=True)
        except OSError:
            continue
        if asked.stdout.strip() == version:
            return python
    raise Refused(f"the wheel of PyTorch is for Python {version}, which is not installed: install python{version}.")


def missing_libraries(libtorch):
    """Returns the shared libraries that PyTorch's Python module needs and that are missing."""
    if sys.platform != "linux":
        return []
    said = subprocess.run(["ldd", libtorch / "lib/libtorch_python.so"], capture_output=True, text=True)
    return sorted(set(re.findall(r"(\S+) => not found", said.stdout)))


def replace(libraries, folder):
    """Creates an empty library for each."""
    folder.mkdir()
    for name in libraries:
        compiler = os.environ.get("CC") or "cc"
        subprocess.run([compiler, "-shared", f"-Wl,-soname,{name}", "-o", folder / name, "-x", "c", os.devnull], check=True,
                       capture_output=True)


def try_out(python):
    packages = "numpy, peft, pytorch_lightning, safetensors.torch, tensorboard, torch, torchvision, transformers"
    subprocess.run([python, "-c", f"import {packages}; torch.zeros(1)"], check=True, capture_output=True)


def last_line(stderr):
    return (stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]


if __name__ == "__main__":
    main()
