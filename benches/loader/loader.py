"""The loader of `program.rs` with PyTorch's DataLoader: `loader.py KIND WORKERS FOLDER`."""

import json
import math
import pathlib
import sys
import time

import numpy
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

BATCH, SAMPLES, EPOCHS, CONTEXT = 64, 1 << 16, 2, 256


class Plain(Dataset):
    """The samples of `plain`: an array and a number, as Python has them."""

    def __init__(self):
        self.samples = [(numpy.full(32, 0.5, dtype=numpy.float32), 3) for _ in range(SAMPLES)]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


class Computed(Dataset):
    """Samples that are computed, by NumPy."""

    def __len__(self):
        return SAMPLES // 8

    def __getitem__(self, index):
        waves = numpy.arange(64, dtype=numpy.float32)
        places = numpy.arange(32, dtype=numpy.float32)[:, None]
        return numpy.sin(index * places * waves).sum(axis=1), index


class Tokens(Dataset):
    """The windows of `TokenFile`, as nanoGPT reads them."""

    def __init__(self, path):
        self.tokens = numpy.memmap(path, dtype=numpy.uint16, mode="r")

    def __len__(self):
        return (len(self.tokens) - 1) // CONTEXT

    def __getitem__(self, index):
        window = self.tokens[index * CONTEXT:(index + 1) * CONTEXT + 1].astype(numpy.int64)
        return torch.from_numpy(window[:-1]), torch.from_numpy(window[1:])


def dataset(kind, folder):
    if kind == "tensors":
        return TensorDataset(torch.randn(SAMPLES, 32), torch.zeros(SAMPLES, dtype=torch.int64))
    if kind == "tokens":
        return Tokens(folder / "tokens.bin")
    if kind == "images":
        transform = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
        return ImageFolder(folder / "images", transform)
    return {"plain": Plain, "computed": Computed}[kind]()


def main():
    kind, workers, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    loader = DataLoader(
        dataset(kind, folder), batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    best = math.inf
    # the first epoch, in which workers start, is not counted
    for epoch in range(EPOCHS + 1):
        started = time.perf_counter()
        for _ in loader:
            pass
        if epoch > 0:
            best = min(best, time.perf_counter() - started)
    print(json.dumps({"samples_per_second": round(len(loader.dataset) / best)}))


main()
