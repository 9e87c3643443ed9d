"""The loop of `program.rs` with PyTorch's DistributedDataParallel, started by torchrun: `loop.py STEPS WARM_UP WIDTH…`."""

import json
import resource
import sys
import time

import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel

BATCH = 16


def main():
    steps, warm_up, *widths = map(int, sys.argv[1:])
    distributed.init_process_group("gloo")
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = DistributedDataParallel(torch.nn.Sequential(*layers[:-1]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    x, labels = torch.randn(BATCH, widths[0]), torch.zeros(BATCH, dtype=torch.int64)
    for step in range(steps + warm_up):
        if step == warm_up:
            started = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    microseconds = (time.perf_counter() - started) * 1e6 / steps
    if distributed.get_rank() == 0:
        mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"microseconds": round(microseconds, 1), "mebibytes": mebibytes}))
    # a process that ends while the other still sends aborts it now and then
    distributed.barrier()
    distributed.destroy_process_group()


main()
