"""Writes table.json: the trajectories of PyTorch's optimizers on a small problem. Needs torch 2.13, which rounds differently with
other instructions, as does MKL on other processors: `ATEN_CPU_CAPABILITY=avx2 MKL_CBWR=COMPATIBLE python table.py`.

The problem is a linear model under the mean of the squared errors, or of `log(1 + squared error)`, or, where the algorithm
maximizes, under its negative. The bias enters the model at the step `bias_from`: until then it has no gradient. It may be
a parameter group of its own, and with `over` one of both is not optimized. The learning rates halve at step 15. Where `infinite_at` is given, the loss is scaled, and
is infinite at those steps. Values are those after some of the 50 steps, weight then bias.
"""

import json
from pathlib import Path

import torch
from shapes import Lion
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import LBFGS, SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Muon, NAdam, RAdam, RMSprop

STEPS = 50
SHOWN = [0, 1, 2, 5, 6, 7, 14, 15, 16, 30, 49]
HALVE_LR_AT = 15

INPUTS = [[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.8, 1.1, 0.4], [0.2, -0.6, -1.9]]
TARGETS = [[1.0, -0.5], [0.0, 2.0], [-1.5, 0.7], [0.9, 0.1]]
WEIGHT = [[0.3, -0.2], [0.8, 0.5], [-0.4, 0.1]]
BIAS = [0.25, -0.15]

RUST_NAMES = {SGD: "Sgd", RMSprop: "RmsProp", LBFGS: "Lbfgs"}


def tensor(values, dtype):
    real = torch.tensor(values, dtype=torch.float64)
    return (torch.complex(real, 0.4 * real.flip(0)) if dtype.is_complex else real).to(dtype)


def flat(tensors):
    """Returns all elements (two for a complex number) with 12 digits, the most that the test needs."""
    flats = [(torch.view_as_real(t) if t.is_complex() else t).detach().double().flatten() for t in tensors]
    return [float(f"{value:.12g}") for value in torch.cat(flats).tolist()]


def trajectory(optimizer_class, dtype, bias_from, loss, bias, infinite_at, over, options):
    inputs, targets = tensor(INPUTS, dtype), tensor(TARGETS, dtype)
    weight, bias_tensor = tensor(WEIGHT, dtype).requires_grad_(), tensor(BIAS, dtype).requires_grad_()
    parameters = [weight, bias_tensor]
    if bias is not None:
        parameters = [{"params": [weight]}, {"params": [bias_tensor], **bias}]
    if over is not None:
        parameters = [{"weight": weight, "bias": bias_tensor}[over]]
    optimizer = optimizer_class(parameters, **options)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=infinite_at is not None)

    def evaluate(step):
        optimizer.zero_grad()
        # not a matrix product, which rounds differently on other processors
        outputs = (inputs.unsqueeze(2) * weight).sum(1)
        if step >= bias_from:
            outputs = outputs + bias_tensor
        squares = (outputs - targets).abs().square()
        value = (squares if loss == "square" else squares.log1p()).mean()
        value = -value if options.get("maximize") else value
        value = value * float("inf") if step in (infinite_at or []) else value
        scaler.scale(value).backward()
        return value

    points = []
    for step in range(STEPS):
        if step == HALVE_LR_AT:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        if optimizer_class is LBFGS:
            optimizer.step(lambda: evaluate(step))
        else:
            evaluate(step)
            scaler.step(optimizer)
            scaler.update()
        if step in SHOWN:
            points.append(flat([weight, bias_tensor]))
    return points


def case(name, optimizer_class, dtype="float32", bias_from=0, loss="square", bias=None, infinite_at=None, over=None, **options):
    def algorithm(options):
        own = dict(options)
        if "line_search_fn" in own:
            own["line_search"] = own.pop("line_search_fn")
        return {RUST_NAMES.get(optimizer_class, optimizer_class.__name__): own}

    points = trajectory(optimizer_class, getattr(torch, dtype), bias_from, loss, bias, infinite_at, over, options)
    return {
        "name": name,
        "algorithm": algorithm(options),
        "bias": None if bias is None else algorithm({**options, **bias}),
        "maximize": options.get("maximize", False),
        "dtype": dtype,
        "bias_from": bias_from,
        "loss": loss,
        "infinite_at": infinite_at,
        **({} if over is None else {"over": over}),
        "points": points,
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


def all_of(name, optimizer_class, **options):
    """Returns the cases of every algorithm: double precision, complex, ascending with a late bias."""
    return [
        case(f"{name} double", optimizer_class, dtype="float64", **options),
        case(f"{name} complex", optimizer_class, dtype="complex64", **options),
        case(f"{name} maximize, late bias", optimizer_class, bias_from=6, maximize=True, **options),
    ]


SCALED = {"infinite_at": [0, 3, 4, 20], "bias_from": 2}
WOLFE = {"line_search_fn": "strong_wolfe"}

cases = [
    case("sgd", SGD, lr=0.1),
    case("sgd nesterov", SGD, lr=0.05, momentum=0.9, nesterov=True),
    case("sgd weight decay", SGD, lr=0.1, weight_decay=0.05),
    case("sgd dampening, late bias", SGD, bias_from=6, lr=0.05, momentum=0.8, dampening=0.3),
    case("sgd groups", SGD, lr=0.05, momentum=0.5, weight_decay=0.1, bias={"lr": 0.02, "momentum": 0.0}),
    case("sgd scaled", SGD, lr=0.05, momentum=0.9, weight_decay=0.01, **SCALED),
    case("sgd dampening scaled", SGD, lr=0.05, momentum=0.9, dampening=0.3, **SCALED),
    *all_of("sgd", SGD, lr=0.02, momentum=0.5, dampening=0.1, weight_decay=0.01),
    case("adam", Adam, lr=0.05),
    case("adam weight decay", Adam, lr=0.03, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    case("adam amsgrad", Adam, lr=0.05, betas=(0.5, 0.6), amsgrad=True, weight_decay=0.02),
    case("adam scaled", Adam, lr=0.05, weight_decay=0.1, **SCALED),
    *all_of("adam", Adam, lr=0.05, weight_decay=0.1, amsgrad=True),
    case("adamw", AdamW, lr=0.05),
    case("adamw late bias", AdamW, bias_from=6, lr=0.03, betas=(0.8, 0.95), weight_decay=0.2),
    case("adamw groups", AdamW, lr=0.05, weight_decay=0.2, bias={"weight_decay": 0.0, "betas": (0.7, 0.9)}),
    case("adamw scaled", AdamW, lr=0.05, amsgrad=True, **SCALED),
    *all_of("adamw", AdamW, lr=0.05, weight_decay=0.1, amsgrad=True),
    case("adamax", Adamax, lr=0.05),
    case("adamax betas", Adamax, lr=0.05, betas=(0.7, 0.9), eps=1e-3),
    case("adamax weight decay", Adamax, lr=0.05, weight_decay=0.1),
    *all_of("adamax", Adamax, lr=0.05, betas=(0.8, 0.95), weight_decay=0.05),
    case("nadam", NAdam, lr=0.05),
    case("nadam betas", NAdam, lr=0.05, betas=(0.7, 0.9), eps=1e-3),
    case("nadam weight decay", NAdam, lr=0.05, weight_decay=0.1),
    case("nadam decoupled", NAdam, lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
    case("nadam momentum decay", NAdam, lr=0.05, momentum_decay=0.3),
    *all_of("nadam", NAdam, lr=0.05, betas=(0.8, 0.95), weight_decay=0.05, momentum_decay=0.1),
    case("radam", RAdam, lr=0.05),
    case("radam betas", RAdam, lr=0.05, betas=(0.7, 0.9), eps=1e-3),
    case("radam weight decay", RAdam, lr=0.05, weight_decay=0.1),
    case("radam decoupled", RAdam, lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
    case("radam never rectified", RAdam, lr=0.05, betas=(0.9, 0.5)),
    case("radam scaled", RAdam, lr=0.05, **SCALED),
    *all_of("radam", RAdam, lr=0.05, betas=(0.8, 0.95), weight_decay=0.05),
    case("rmsprop", RMSprop, lr=0.02),
    case("rmsprop alpha", RMSprop, lr=0.02, alpha=0.8, eps=1e-3),
    case("rmsprop weight decay", RMSprop, lr=0.02, weight_decay=0.1),
    case("rmsprop momentum", RMSprop, lr=0.005, momentum=0.9),
    case("rmsprop centered", RMSprop, lr=0.01, centered=True),
    case("rmsprop groups", RMSprop, lr=0.02, alpha=0.9, bias={"momentum": 0.5, "centered": True}),
    case("rmsprop scaled", RMSprop, lr=0.02, momentum=0.5, **SCALED),
    *all_of("rmsprop", RMSprop, lr=0.005, alpha=0.9, momentum=0.8, centered=True, weight_decay=0.05),
    case("adagrad", Adagrad, lr=0.1),
    case("adagrad lr decay", Adagrad, lr=0.2, lr_decay=0.1),
    case("adagrad weight decay", Adagrad, lr=0.1, weight_decay=0.1),
    case("adagrad initial value", Adagrad, lr=0.1, initial_accumulator_value=0.5, eps=1e-3),
    case("adagrad scaled", Adagrad, lr=0.1, lr_decay=0.1, **SCALED),
    *all_of("adagrad", Adagrad, lr=0.1, lr_decay=0.05, weight_decay=0.05, initial_accumulator_value=0.2),
    case("adadelta", Adadelta),
    case("adadelta rho", Adadelta, lr=0.7, rho=0.7, eps=1e-4),
    case("adadelta weight decay", Adadelta, lr=10.0, weight_decay=0.1),
    *all_of("adadelta", Adadelta, lr=2.0, rho=0.8, weight_decay=0.05),
    case("adafactor", Adafactor, lr=0.05),
    case("adafactor late bias", Adafactor, bias_from=6, lr=0.2, beta2_decay=-0.5, eps=(1e-3, 0.1), d=2.0),
    case("adafactor groups", Adafactor, lr=0.05, weight_decay=0.1, bias={"weight_decay": 0.0, "d": 1.5}),
    case("adafactor scaled", Adafactor, lr=0.05, **SCALED),
    case("adafactor double", Adafactor, dtype="float64", lr=0.05, weight_decay=0.1),
    case("adafactor maximize", Adafactor, lr=0.05, weight_decay=0.1, maximize=True),
    case("lion", Lion, lr=0.01),
    case("lion groups", Lion, lr=0.01, weight_decay=0.1, bias={"weight_decay": 0.0, "betas": (0.7, 0.9)}),
    case("lion scaled", Lion, lr=0.01, weight_decay=0.1, **SCALED),
    *all_of("lion", Lion, lr=0.01, betas=(0.8, 0.95), weight_decay=0.2),
    case("muon", Muon, over="weight", lr=0.05),
    case("muon options", Muon, over="weight", lr=0.05, momentum=0.5, nesterov=False, ns_steps=3, weight_decay=0.3),
    case("muon match rms", Muon, over="weight", lr=0.1, adjust_lr_fn="match_rms_adamw", ns_coefficients=(2.0, -1.5, 0.5)),
    case("muon scaled", Muon, over="weight", lr=0.05, **SCALED),
    case("muon double", Muon, over="weight", dtype="float64", lr=0.05, eps=1e-3),
    case("lbfgs", LBFGS, max_iter=3),
    case("lbfgs late bias", LBFGS, bias_from=6, max_iter=4, history_size=4),
    case("lbfgs complex", LBFGS, dtype="complex64", max_iter=4),
    case("lbfgs wolfe", LBFGS, max_iter=2, max_eval=20, **WOLFE),
    case("lbfgs wolfe late bias", LBFGS, bias_from=6, max_iter=1, max_eval=20, **WOLFE),
    case("lbfgs wolfe complex", LBFGS, dtype="complex64", max_iter=2, max_eval=20, **WOLFE),
    case("lbfgs double", LBFGS, dtype="float64", loss="log", lr=0.2, max_iter=1),
    case("lbfgs double defaults", LBFGS, dtype="float64", loss="log"),
    case("lbfgs double history", LBFGS, dtype="float64", loss="log", lr=0.5, max_iter=2, history_size=2),
    case("lbfgs double max eval", LBFGS, dtype="float64", loss="log", lr=0.5, max_iter=4, max_eval=2),
    case("lbfgs double tolerances", LBFGS, dtype="float64", loss="log", tolerance_grad=0.05, tolerance_change=0.01),
    case("lbfgs double wolfe", LBFGS, dtype="float64", loss="log", max_iter=1, max_eval=20, **WOLFE),
    case("lbfgs double wolfe far", LBFGS, dtype="float64", loss="log", lr=60.0, max_iter=1, max_eval=20, **WOLFE),
    case("lbfgs double wolfe near", LBFGS, dtype="float64", loss="log", lr=0.004, max_iter=1, max_eval=20, **WOLFE),
    case("lbfgs double wolfe cut", LBFGS, dtype="float64", loss="log", lr=8.0, max_iter=2, max_eval=4, **WOLFE),
    case("lbfgs double wolfe once", LBFGS, dtype="float64", loss="log", lr=0.2, max_iter=1, **WOLFE),
    case("lbfgs double wolfe defaults", LBFGS, dtype="float64", loss="log", **WOLFE),
]
table = {
    "torch": torch.__version__,
    "inputs": INPUTS,
    "targets": TARGETS,
    "weight": WEIGHT,
    "bias": BIAS,
    "steps": STEPS,
    "shown": SHOWN,
    "halve_lr_at": HALVE_LR_AT,
    "cases": cases,
    "clipping": clipping(),
}
lines = json.dumps(table).replace("[[[", "[\n[[").replace('{"name"', '\n{"name"').replace("], [", "],\n[")
Path(__file__).with_name("table.json").write_text(lines + "\n")
