"""Writes table.json: the layers that PyTorch calls, with the shapes of their inputs and outputs and the floating-point operations that
its FlopCounterMode counts. Needs torch 2.13: `python table.py`."""

import json
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


class Texts(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 12)
        self.lstm = nn.LSTM(12, 8, batch_first=True)
        self.gru = nn.GRU(8, 6, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 3)

    def forward(self, tokens):
        states, _ = self.lstm(self.embedding(tokens))
        states, _ = self.gru(states)
        return self.head(self.norm(states))


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 4, 2)
        self.groups = nn.GroupNorm(2, 4)
        self.series = nn.Conv1d(4, 5, 3)
        self.twice = nn.Linear(28, 28)

    def forward(self, images):
        images = self.groups(self.up(self.norm(self.conv(images)).relu()))
        return self.twice(self.twice(self.series(images.flatten(2))))


def table(model, batch):
    shapes = {}
    for name, layer in model.named_children():

        def hook(_, inputs, output, name=name):
            output = output[0] if isinstance(output, tuple) else output
            shapes.setdefault(name, (list(inputs[0].shape), list(output.shape)))

        layer.register_forward_hook(hook)
    forward = FlopCounterMode(display=False)
    with forward:
        output = model(batch)
    step = FlopCounterMode(display=False)
    with step:
        model(batch).sum().backward()
    counts = forward.get_flop_counts()
    kind = type(model).__name__
    layers = [
        {"layer": name, "input": shape, "output": out, "flops": sum(counts.get(f"{kind}.{name}", {}).values())}
        for name, (shape, out) in shapes.items()
    ]
    return {"layers": layers, "output": list(output.shape), "step": step.get_total_flops()}


torch.manual_seed(0)
tables = {
    "texts": table(Texts(), torch.arange(20).view(4, 5)),
    "images": table(Images(), torch.randn(2, 3, 9, 8)),
}
Path(__file__).with_name("table.json").write_text(json.dumps(tables, indent=1) + "\n")
