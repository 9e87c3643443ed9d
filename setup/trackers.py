"""Installs an experiment tracker for the tests of its logger into a virtual environment in the cache: MLflow's server (0.9 GB), or W&B's
client (0.1 GB).

`make mlflow` and `make wandb` run this. Without them, those tests are skipped; nothing else needs them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from libtorch import HERE, Refused, cache_folder, errors_as_sentences, only_one, require_pip


TRACKERS = {"mlflow": "MLflow", "wandb": "W&B"}


def main():
    with errors_as_sentences():
        if len(sys.argv) != 2 or sys.argv[1] not in TRACKERS:
            raise Refused(f"usage: trackers.py {'|'.join(TRACKERS)}")
        tracker = sys.argv[1]
        print(f"{TRACKERS[tracker]} for the tests: {environment(tracker)}")


def environment(tracker):
    """Returns the Python of the environment, and creates the environment first if it is missing."""
    cache = cache_folder()
    place = cache / tracker
    wanted = requirements(tracker).read_text()
    if installed(place) != wanted:
        cache.mkdir(parents=True, exist_ok=True)
        with only_one(cache):
            if installed(place) != wanted:
                make(cache, place, tracker, wanted)
    return place / "bin/python"


def requirements(tracker):
    return HERE / f"{tracker}.txt"


def installed(place):
    try:
        return (place / "requirements").read_text()
    except OSError:
        return None


def make(cache, place, tracker, wanted):
    """Creates the environment in a temporary folder, which is renamed to `place` at the end."""
    require_pip()
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=cache))
    try:
        made = incoming / tracker
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True, capture_output=True)
        packages = next(made.glob("lib/python*/site-packages"))
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--quiet",
                   "--root-user-action=ignore", "--target", packages, "--requirement", requirements(tracker)]
        subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
        (made / "requirements").write_text(wanted)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines() or ["it gave no reason"]
        raise Refused(f"{TRACKERS[tracker]} cannot be installed: {last[-1]}") from error
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


if __name__ == "__main__":
    main()
