"""Writes table.json: what PyTorch makes of a small training in each precision. Needs torch 2.13: `python table.py`.

The problem is a linear model under the mean of the squared errors, with SGD in its fused kernel, which rounds once a step. What a precision means is written out as
Lightning does it. Where a loss is scaled, it is infinite at the steps `infinite_at`. The values are those after each step,
weight then bias. `scaler` is what `torch.amp.GradScaler` makes of two optimizers' gradients, finite or not.
"""

import json
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.amp import GradScaler

torch.set_num_threads(1)

INPUTS = [[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.8, 1.1, 0.4], [0.2, -0.6, -1.9]]
TARGETS = [[1.0, -0.5], [0.0, 2.0], [-1.5, 0.7], [0.9, 0.1]]
WEIGHT = [[0.3, 0.8, -0.4], [-0.2, 0.5, 0.1]]
BIAS = [0.25, -0.15]
EPOCHS = 4

TRUE = {"64-true": torch.float64, "bf16-true": torch.bfloat16, "16-true": torch.float16}
MIXED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def training(precision, infinite_at=(), clip=None):
    model = nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(WEIGHT))
        model.bias.copy_(torch.tensor(BIAS))
    dtype = TRUE.get(precision, torch.float32)
    model.to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=True)
    scaler = GradScaler("cpu", enabled=precision == "16-mixed")
    points, scales = [], []
    inputs, targets = torch.tensor(INPUTS).to(dtype).split(2), torch.tensor(TARGETS).to(dtype).split(2)
    for step, (x, y) in enumerate(list(zip(inputs, targets)) * EPOCHS):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=MIXED[precision]) if precision in MIXED else nullcontext():
            loss = nn.functional.mse_loss(model(x), y)
            loss = loss * (float("inf") if step in infinite_at else 1.0)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        scaler.step(optimizer)
        scaler.update()
        points.append([v for p in (model.weight, model.bias) for v in p.detach().double().flatten().tolist()])
        scales.append(scaler.get_scale())
    return dict(precision=precision, infinite_at=list(infinite_at), clip=clip, points=points, scales=scales)


def scaler(infinite, **options):
    scaler = GradScaler("cpu", **options)
    parameters = [torch.ones(2, requires_grad=True) for _ in range(2)]
    optimizers = [torch.optim.SGD([parameter], lr=0.1) for parameter in parameters]
    begins, states = None, []
    for found in infinite:
        for parameter, optimizer, is_infinite in zip(parameters, optimizers, found):
            optimizer.zero_grad()
            scaler.scale(parameter.sum() * (float("inf") if is_infinite else 0.5)).backward()
            begins = begins or scaler.state_dict()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
        scaler.update()
        state = scaler.state_dict()
        points = [parameter.tolist() for parameter in parameters]
        states.append(dict(scale=state["scale"], growth_tracker=state["_growth_tracker"], points=points))
    begins["growth_tracker"] = begins.pop("_growth_tracker")
    return dict(begins=begins, infinite=infinite, states=states)


N, Y = False, True
table = dict(
    inputs=INPUTS, targets=TARGETS, weight=WEIGHT, bias=BIAS, epochs=EPOCHS,
    trainings=[training(p) for p in ["32-true", *TRUE, *MIXED]]
    + [training("16-mixed", infinite_at=[1, 4]), training("16-mixed", infinite_at=[2], clip=0.5)],
    scaler=[
        scaler([[N, N], [Y, N], [N, N]]),
        scaler([[N, N], [N, N], [N, N], [N, Y], [Y, Y], [N, N], [N, N], [N, N], [Y, N], [N, N]], init_scale=8.0,
               growth_factor=3.0, backoff_factor=0.25, growth_interval=2),
    ],
)
Path(__file__).with_name("table.json").write_text(json.dumps(table, indent=1) + "\n")
