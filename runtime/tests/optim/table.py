"""Writes table.json: what PyTorch's optimizers make of a small problem. Needs torch 2.13: `python table.py`.

The problem is a linear model under the mean squared error, or, where the algorithm maximizes, its negative. The bias
enters the model at the step `bias_from`: until then it has no gradient. The learning rate halves at step 15. Values are
those after each step, weight then bias.
"""

import json
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

STEPS = 25
HALVE_LR_AT = 15

INPUTS = [[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.8, 1.1, 0.4], [0.2, -0.6, -1.9]]
TARGETS = [[1.0, -0.5], [0.0, 2.0], [-1.5, 0.7], [0.9, 0.1]]
WEIGHT = [[0.3, -0.2], [0.8, 0.5], [-0.4, 0.1]]
BIAS = [0.25, -0.15]


def tensor(values, dtype):
    real = torch.tensor(values, dtype=torch.float64)
    return (torch.complex(real, 0.4 * real.flip(0)) if dtype.is_complex else real).to(dtype)


def flat(tensors):
    """All elements, real and imaginary parts in turn, to the 12 digits that the test needs at most."""
    flats = [torch.view_as_real(t.detach().to(torch.complex128)).flatten() for t in tensors]
    return [float(f"{value:.12g}") for value in torch.cat(flats).tolist()]


def trajectory(optimizer_class, dtype, bias_from, **options):
    inputs, targets = tensor(INPUTS, dtype), tensor(TARGETS, dtype)
    weight = tensor(WEIGHT, dtype).requires_grad_()
    bias = tensor(BIAS, dtype).requires_grad_()
    optimizer = optimizer_class([weight, bias], **options)
    points = []
    for step in range(STEPS):
        if step == HALVE_LR_AT:
            optimizer.param_groups[0]["lr"] /= 2
        optimizer.zero_grad()
        outputs = inputs @ weight
        if step >= bias_from:
            outputs = outputs + bias
        loss = (outputs - targets).abs().square().mean()
        (-loss if options.get("maximize") else loss).backward()
        optimizer.step()
        points.append(flat([weight, bias]))
    return points


def case(name, optimizer_class, dtype="float32", bias_from=0, **options):
    algorithm = {torch.optim.SGD: "Sgd", torch.optim.Adam: "Adam", torch.optim.AdamW: "AdamW"}[optimizer_class]
    return {
        "name": name,
        "algorithm": {algorithm: options},
        "dtype": dtype,
        "bias_from": bias_from,
        "trajectory": trajectory(optimizer_class, getattr(torch, dtype), bias_from, **options),
    }


def clipping():
    gradients = [[[3.0, -4.0], [0.5, 1.25]], [12.0, -0.75, 0.0]]

    def parameters():
        made = [torch.zeros_like(torch.tensor(g)).requires_grad_() for g in gradients]
        for parameter, gradient in zip(made, gradients):
            parameter.grad = torch.tensor(gradient)
        return made

    by_norm = []
    for max_norm in [0.0, 1.0, 13.0, 100.0]:
        made = parameters()
        norm = clip_grad_norm_(made, max_norm).item()
        by_norm.append({"limit": max_norm, "norm": norm, "clipped": flat(p.grad for p in made)})
    by_value = []
    for clip_value in [0.6, 5.0]:
        made = parameters()
        clip_grad_value_(made, clip_value)
        by_value.append({"limit": clip_value, "clipped": flat(p.grad for p in made)})
    return {"gradients": gradients, "by_norm": by_norm, "by_value": by_value}


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
table = {
    "torch": torch.__version__,
    "inputs": INPUTS,
    "targets": TARGETS,
    "weight": WEIGHT,
    "bias": BIAS,
    "halve_lr_at": HALVE_LR_AT,
    "cases": [
        case("sgd", SGD, lr=0.1),
        case("sgd nesterov", SGD, lr=0.05, momentum=0.9, nesterov=True),
        case("sgd weight decay", SGD, lr=0.1, weight_decay=0.05),
        case("sgd dampening, late bias", SGD, bias_from=6, lr=0.05, momentum=0.8, dampening=0.3),
        case("sgd maximize", SGD, lr=0.05, momentum=0.5, weight_decay=0.01, maximize=True),
        case("sgd complex", SGD, dtype="complex64", lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
        case("adam", Adam, lr=0.05),
        case("adam weight decay", Adam, lr=0.03, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
        case("adam amsgrad", Adam, lr=0.05, betas=(0.5, 0.6), amsgrad=True, weight_decay=0.02),
        case("adam complex", Adam, dtype="complex64", lr=0.05, weight_decay=0.1, amsgrad=True),
        case("adamw", AdamW, lr=0.05),
        case("adamw late bias", AdamW, bias_from=6, lr=0.03, betas=(0.8, 0.95), weight_decay=0.2),
        case("adamw double", AdamW, dtype="float64", lr=0.05, weight_decay=0.1, amsgrad=True, maximize=True),
        case("adamw complex", AdamW, dtype="complex64", lr=0.05, maximize=True),
    ],
    "clipping": clipping(),
}
lines = json.dumps(table).replace("[[[", "[\n[[").replace('{"name"', '\n{"name"').replace("], [", "],\n[")
Path(__file__).with_name("table.json").write_text(lines + "\n")
