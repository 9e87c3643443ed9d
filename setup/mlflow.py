"""Installs an MLflow server for the tests of MlflowLogger into a virtual environment in the cache: 0.9 GB.

`make mlflow` runs this. Without it, those tests are skipped; nothing else needs it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from libtorch import HERE, Refused, cache_folder, errors_as_sentences, only_one, require_pip


def main():
    with errors_as_sentences():
        print(f"MLflow for the tests: {environment()}")


def environment():
    """Returns the Python of the environment, and creates the environment first if it is missing."""
    cache = cache_folder()
    place = cache / "mlflow"
    wanted = (HERE / "mlflow.txt").read_text()
    if installed(place) != wanted:
        cache.mkdir(parents=True, exist_ok=True)
        with only_one(cache):
            if installed(place) != wanted:
                make(cache, place, wanted)
    return place / "bin/python"


def installed(place):
    try:
        return (place / "requirements").read_text()
    except OSError:
        return None


def make(cache, place, wanted):
    """Creates the environment in a temporary folder, which is renamed to `place` at the end."""
    require_pip()
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=cache))
    try:
        made = incoming / "mlflow"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True, capture_output=True)
        packages = next(made.glob("lib/python*/site-packages"))
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--quiet",
                   "--root-user-action=ignore", "--target", packages, "--requirement", HERE / "mlflow.txt"]
        subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
        (made / "requirements").write_text(wanted)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines() or ["it gave no reason"]
        raise Refused(f"MLflow cannot be installed: {last[-1]}") from error
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


if __name__ == "__main__":
    main()
