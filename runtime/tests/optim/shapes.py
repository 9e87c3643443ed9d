"""Writes shapes.json: trajectories of PyTorch's optimizers on parameters of many shapes, in several groups. Needs torch 2.13, which
rounds differently with other instructions: `ATEN_CPU_CAPABILITY=avx2 python shapes.py`.

The loss is the sum of `curvature * (parameter - target)²` over all elements. Values are those after some of the steps, of all parameters
in their order.
"""

import json
import math
from pathlib import Path

import torch
from torch.optim import Adafactor, AdamW, Muon
from torch.optim.lr_scheduler import LambdaLR

STEPS = 20
SHOWN = [0, 1, 9, 19]
BLOCKS = 2

# as a vision transformer names them
SHAPES = {
    "pos_embed": [1, 3, 2],
    "patch_embed.weight": [2, 1, 2, 2],
    "patch_embed.bias": [2],
    "blocks.0.attn.weight": [6, 2],
    "blocks.0.norm.weight": [2],
    "blocks.1.attn.weight": [2, 6],
    "blocks.1.norm.weight": [2],
    "temperature": [],
    "head.weight": [4, 4],
    "head.bias": [4],
}


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al., Symbolic Discovery of Optimization Algorithms, https://arxiv.org/abs/2302.06675."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                gradient = -parameter.grad if group["maximize"] else parameter.grad
                state = self.state[parameter]
                average = state.setdefault("exp_avg", torch.zeros_like(parameter))
                parameter, average, gradient = (
                    torch.view_as_real(t) if t.is_complex() else t for t in (parameter, average, gradient)
                )
                update = torch.sign(beta1 * average + (1 - beta1) * gradient)
                parameter.copy_(parameter - group["lr"] * (update + group["weight_decay"] * parameter))
                average.copy_(beta2 * average + (1 - beta2) * gradient)


def initial(shape, seed, dtype):
    count = math.prod(shape)
    values = [math.sin(1.7 * (index + 1) + seed) for index in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype)


def trajectory(dtype, optimizers, schedule=None):
    """Steps the optimizers, functions of the named parameters."""
    parameters = {
        name: initial(shape, 0.3 * index, dtype).requires_grad_() for index, (name, shape) in enumerate(SHAPES.items())
    }
    targets = {name: initial(shape, 5.0 + index, dtype) for index, (name, shape) in enumerate(SHAPES.items())}
    curvatures = {name: initial(shape, 9.0 + index, dtype).abs() for index, (name, shape) in enumerate(SHAPES.items())}
    made = optimizers(parameters)
    schedulers = [LambdaLR(optimizer, schedule) for optimizer in made] if schedule else []
    points = []
    for step in range(STEPS):
        for optimizer in made:
            optimizer.zero_grad()
        loss = sum(
            (curvatures[name] * (parameter - targets[name]).square()).sum() for name, parameter in parameters.items()
        )
        loss.backward()
        for optimizer in made:
            optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        if step in SHOWN:
            values = torch.cat([parameter.detach().double().flatten() for parameter in parameters.values()]).tolist()
            points.append([float(f"{value:.12g}") for value in values])
    return points


def table_of(optimizers, dtype=torch.float32, schedule=None):
    return {"double": dtype == torch.float64, "points": trajectory(dtype, optimizers, schedule)}


def all_in(optimizer_class, **options):
    return lambda parameters: [optimizer_class(parameters.values(), **options)]


def muon_and_adamw(muon, adamw):
    """Muon for matrices within the model, AdamW for all others, which PyTorch steps as two optimizers."""

    def optimizers(parameters):
        inner = [parameter for name, parameter in parameters.items() if name.startswith("blocks.") and parameter.ndim == 2]
        others = [parameter for parameter in parameters.values() if all(parameter is not one for one in inner)]
        return [Muon(inner, **muon), AdamW(others, **adamw)]

    return optimizers


def no_decay(parameters):
    decayed = [parameter for parameter in parameters.values() if parameter.ndim >= 2]
    others = [parameter for parameter in parameters.values() if parameter.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return [AdamW(groups, lr=0.02)]


def layer_id(name):
    """The rule of BEiT, `get_num_layer_for_vit` in its optim_factory.py."""
    if name in ("cls_token", "mask_token", "pos_embed") or name.startswith("patch_embed"):
        return 0
    if name.startswith("blocks"):
        return int(name.split(".")[1]) + 1
    return BLOCKS + 1


def scale(name, layer_decay):
    return layer_decay ** (BLOCKS + 1 - layer_id(name))


def layer_decay(parameters):
    groups = [
        {"params": [parameter], "lr": 0.05 * scale(name, 0.65), "weight_decay": 0.1 if parameter.ndim >= 2 else 0.0}
        for name, parameter in parameters.items()
    ]
    return [AdamW(groups)]


def halve_at_10(step):
    return 1.0 if step < 10 else 0.5


def main():
    cases = {
        "no decay": table_of(no_decay),
        "layer decay": table_of(layer_decay, schedule=halve_at_10),
        "adafactor": table_of(all_in(Adafactor, lr=0.05)),
        "adafactor double": table_of(all_in(Adafactor, lr=0.05), torch.float64),
        "adafactor options": table_of(
            all_in(Adafactor, lr=0.3, beta2_decay=-0.5, eps=(1e-4, 0.2), d=1.5, weight_decay=0.1), torch.float64
        ),
        "lion": table_of(all_in(Lion, lr=0.01, betas=(0.8, 0.95), weight_decay=0.3)),
        "muon and adamw": table_of(muon_and_adamw({"lr": 0.05}, {"lr": 0.02}), schedule=halve_at_10),
        "muon options and adamw": table_of(
            muon_and_adamw(
                {
                    "lr": 0.05,
                    "weight_decay": 0.3,
                    "momentum": 0.7,
                    "nesterov": False,
                    "ns_coefficients": (2.0, -1.5, 0.5),
                    "ns_steps": 3,
                    "adjust_lr_fn": "match_rms_adamw",
                },
                {"lr": 0.02},
            ),
            torch.float64,
        ),
    }
    factors = {name: scale(name, 0.65) for name in SHAPES}
    table = {"torch": torch.__version__, "shapes": SHAPES, "steps": STEPS, "shown": SHOWN, "factors": factors, "cases": cases}
    lines = json.dumps(table).replace("[[", "[\n[").replace("], [", "],\n[").replace('"double"', '\n"double"')
    Path(__file__).with_name("shapes.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
