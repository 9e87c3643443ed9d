"""Compares a training step in two processes with PyTorch's DistributedDataParallel: `compare.py PROGRAM`.

Both run in turn on the same cores, with one thread in each process, as torchrun sets it. The table has medians of the rounds.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "setup"))
import python  # noqa: E402

ROUNDS = 5
# the parameters in words, steps, steps before them, and the widths of the layers
SIZES = [
    ("2 thousand", 400, 50, (32, 64, 2)),
    ("1 million", 100, 10, (512, 1024, 512, 2)),
    ("21 million", 20, 3, (1024, 4096, 4096, 10)),
]


def main():
    program = sys.argv[1]
    torchrun = [python.environment(), "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", HERE / "loop.py"]
    print(f"{'parameters':>12} {'ours':>10} {'PyTorch':>10} {'ratio':>6}   {'memory':>8} {'PyTorch':>8} {'ratio':>6}")
    for name, steps, warm_up, widths in SIZES:
        arguments = [str(number) for number in (steps, warm_up, *widths)]
        rounds = [(measured([program, *arguments]), measured(torchrun + arguments)) for _ in range(ROUNDS)]
        median = lambda side, key: statistics.median(result[side][key] for result in rounds)
        ours, theirs = median(0, "microseconds"), median(1, "microseconds")
        memory, their_memory = median(0, "mebibytes"), median(1, "mebibytes")
        print(f"{name:>12} {ours:>7.0f} µs {theirs:>7.0f} µs {ours / theirs:>6.3f}   "
              f"{memory:>4.0f} MiB {their_memory:>4.0f} MiB {memory / their_memory:>6.3f}")


def measured(command):
    """Returns what rank 0 printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


main()
