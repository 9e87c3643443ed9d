"""Compares the samples a second of a loader with those of PyTorch's DataLoader: `compare.py PROGRAM`.

Both run in turn on the same cores, with batches of 64 shuffled samples. The table has medians of the rounds.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "setup"))
import python  # noqa: E402

ROUNDS = 3
KINDS = [
    ("tensors", "rows of 32 f32 and a label, in two tensors"),
    ("plain", "([f32; 32], i64) in a list; NumPy's array and a number"),
    ("computed", "the same, each computed from 2,048 sines"),
    ("tokens", "windows of 256 tokens from a file of u16"),
    ("images", "JPEG files of 500 x 375 pixels, resized to a side of 256 and cropped to 224 x 224"),
]


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        write_tokens(pathlib.Path(folder) / "tokens.bin")
        subprocess.run([python.environment(), HERE / "images.py", pathlib.Path(folder) / "images"], check=True)
        print(f"{'samples a second':>16} {'workers':>7} {'ours':>12} {'PyTorch':>12} {'ratio':>6}")
        for kind, _ in KINDS:
            for workers in ("0", "2"):
                arguments = [kind, workers, folder]
                peers = ([program], [python.environment(), HERE / "loader.py"])
                rounds = [[measured(peer + arguments) for peer in peers] for _ in range(ROUNDS)]
                ours, theirs = (statistics.median(side) for side in zip(*rounds))
                print(f"{kind:>16} {workers:>7} {ours:>12,.0f} {theirs:>12,.0f} {ours / theirs:>6.1f}", flush=True)
        for kind, samples in KINDS:
            print(f"{kind}: {samples}")


def write_tokens(path):
    """Writes 4 million tokens."""
    tokens = (index * 7919 % 50257 for index in range(1 << 22))
    path.write_bytes(b"".join(token.to_bytes(2, "little") for token in tokens))


def measured(command):
    """Returns the samples a second that a command printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])["samples_per_second"]


main()
