"""Writes table.json: the rates that PyTorch's schedulers set. Needs torch 2.13: `python table.py`.

A case has a schedule, as serde writes it, with functions by the names that they have in FUNCTIONS; the groups that the
optimizer starts with; the rates that are changed by hand, as [step, group, factor], before the step; the group that is
added, as [step, rate], before the step; and for schedules that need one the metric of each step. Rates, and momenta
where they are cycled, are those of each group at first and after each step. [value, count] stands for a value that
repeats.
"""

import json
import math
from itertools import groupby
from pathlib import Path

import torch
from torch.optim import lr_scheduler, swa_utils

STEPS = 200

FUNCTIONS = {
    "inverse_square_root": lambda step: 1 / math.sqrt(step + 1),
    "every_third": lambda step: 0.5 if step % 3 == 0 else 1.0,
    "slowly": lambda step: 1 - 0.5 / (step + 2),
    "harmonic": lambda x: 1 / (1 + x / 4),
}

CLASSES = {
    "StepLr": lr_scheduler.StepLR,
    "MultiStepLr": lr_scheduler.MultiStepLR,
    "ConstantLr": lr_scheduler.ConstantLR,
    "LinearLr": lr_scheduler.LinearLR,
    "ExponentialLr": lr_scheduler.ExponentialLR,
    "PolynomialLr": lr_scheduler.PolynomialLR,
    "CosineAnnealingLr": lr_scheduler.CosineAnnealingLR,
    "CosineAnnealingWarmRestarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "CyclicLr": lr_scheduler.CyclicLR,
    "OneCycleLr": lr_scheduler.OneCycleLR,
    "SwaLr": swa_utils.SWALR,
    "LambdaLr": lr_scheduler.LambdaLR,
    "MultiplicativeLr": lr_scheduler.MultiplicativeLR,
    "SequentialLr": lr_scheduler.SequentialLR,
    "ChainedScheduler": lr_scheduler.ChainedScheduler,
    "ReduceLrOnPlateau": lr_scheduler.ReduceLROnPlateau,
}

PYTORCHS_NAMES = {"t_max": "T_max", "t_0": "T_0", "t_mult": "T_mult"}


def functions(named):
    return [FUNCTIONS[name] for name in named] if isinstance(named, list) else FUNCTIONS[named]


def build(schedule, optimizer):
    """The scheduler, after those that it is made of, in their order."""
    ((name, options),) = schedule.items()
    options = {PYTORCHS_NAMES.get(option, option): value for option, value in options.items()}
    if "schedulers" in options:
        schedulers = [build(part, optimizer) for part in options.pop("schedulers")]
        return CLASSES[name](schedulers=schedulers, optimizer=optimizer, **options)
    for option in ["lr_lambda", "scale_fn"]:
        if option in options:
            options[option] = functions(options[option])
    return CLASSES[name](optimizer, **options)


def momentum(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


def runs(values):
    counted = [(value, len(list(equal))) for value, equal in groupby(values)]
    return [value if count == 1 else [value, count] for value, count in counted]


def group_of(lr):
    return {"params": [torch.zeros(1, requires_grad=True)], "lr": lr}


def case(
    name, schedule, lrs=(0.1,), optimizer=torch.optim.SGD, by_hand=(), added=(), metrics=(), cycled=False, steps=STEPS
):
    with_momentum = {"momentum": 0.5} if optimizer is torch.optim.SGD else {"betas": (0.5, 0.9)}
    optimizer = optimizer([group_of(lr) for lr in lrs], **with_momentum)
    scheduler = build(schedule, optimizer)
    rates, momenta = [[] for _ in lrs], [[] for _ in lrs]

    def record():
        assert [group["lr"] for group in optimizer.param_groups] == scheduler.get_last_lr()
        for group, group_rates, group_momenta in zip(optimizer.param_groups, rates, momenta, strict=True):
            group_rates.append(group["lr"])
            group_momenta.append(momentum(group))

    record()
    for step in range(steps):
        if added and added[0] == step:
            optimizer.add_param_group(group_of(added[1]))
            rates.append([])
            momenta.append([])
        for at, group, factor in by_hand:
            if at == step:
                optimizer.param_groups[group]["lr"] *= factor
        optimizer.step()
        scheduler.step(*metrics[step : step + 1])
        record()
    made = {"name": name, "schedule": schedule, "lrs": lrs}
    if by_hand:
        made["by_hand"] = by_hand
    if added:
        made["added"] = added
    if metrics:
        made["metrics"] = metrics
    made["rates"] = [runs(values) for values in rates]
    if cycled:
        made["momenta"] = [runs(values) for values in momenta]
    else:
        assert all(value == 0.5 for values in momenta for value in values)
    return made


TWO = (0.1, 0.5)
BY_HAND = [[7, 0, 0.5], [60, 1, 3.0], [133, 0, 1.7]]


def step(size, **options):
    return {"StepLr": {"step_size": size, **options}}


def multi_step(*milestones, **options):
    return {"MultiStepLr": {"milestones": milestones, **options}}


def constant(**options):
    return {"ConstantLr": options}


def linear(**options):
    return {"LinearLr": options}


def exponential(gamma):
    return {"ExponentialLr": {"gamma": gamma}}


def polynomial(**options):
    return {"PolynomialLr": options}


def cosine(t_max, **options):
    return {"CosineAnnealingLr": {"t_max": t_max, **options}}


def restarts(t_0, **options):
    return {"CosineAnnealingWarmRestarts": {"t_0": t_0, **options}}


def cyclic(base_lr, max_lr, **options):
    return {"CyclicLr": {"base_lr": base_lr, "max_lr": max_lr, **options}}


def one_cycle(max_lr, **options):
    return {"OneCycleLr": {"max_lr": max_lr, **options}}


def swa(swa_lr, **options):
    return {"SwaLr": {"swa_lr": swa_lr, **options}}


def of_lambda(lr_lambda):
    return {"LambdaLr": {"lr_lambda": lr_lambda}}


def multiplicative(lr_lambda):
    return {"MultiplicativeLr": {"lr_lambda": lr_lambda}}


def sequential(*schedulers, milestones):
    return {"SequentialLr": {"schedulers": schedulers, "milestones": milestones}}


def chained(*schedulers):
    return {"ChainedScheduler": {"schedulers": schedulers}}


def plateau(**options):
    return {"ReduceLrOnPlateau": options}


def losses(*levels, each=20):
    """Falls from level to level, with a little noise on each."""
    return [round(level + 0.001 * ((7 * index) % 5), 4) for level in levels for index in range(each)]


LOSSES = losses(1.0, 0.8, 0.8, 0.8, 0.5, 0.4999, 0.4998, 0.3, 0.31, 0.2)

SINGLE = [
    case("step", step(30)),
    case("step by hand", step(7, gamma=0.75), TWO, by_hand=BY_HAND),
    case("multi step", multi_step(120, 5, 60, 5, gamma=0.3)),
    case("multi step from 0", multi_step(0, 10), TWO, by_hand=BY_HAND),
    case("constant", constant()),
    case("constant by hand", constant(factor=0.3, total_iters=100), TWO, by_hand=BY_HAND),
    case("constant without end", constant(factor=0.3, total_iters=0)),
    case("linear", linear()),
    case("linear down by hand", linear(start_factor=0.9, end_factor=0.2, total_iters=150), TWO, by_hand=BY_HAND),
    case("linear without end", linear(start_factor=0.25, total_iters=0)),
    case("exponential", exponential(0.97), TWO, by_hand=BY_HAND),
    case("polynomial", polynomial()),
    case("polynomial by hand", polynomial(total_iters=150, power=2.5), TWO, by_hand=BY_HAND),
    case("polynomial of no steps", polynomial(total_iters=0)),
    case("cosine", cosine(200)),
    case("cosine up again by hand", cosine(37, eta_min=0.01), TWO, by_hand=BY_HAND),
    case("cosine of one step", cosine(1, eta_min=0.001)),
    case("restarts", restarts(60)),
    case("restarts longer", restarts(10, t_mult=2, eta_min=0.001), TWO, by_hand=BY_HAND),
    case("restarts three times longer", restarts(5, t_mult=3)),
    case("swa", swa(0.05)),
    case("swa up by hand", swa([0.7, 0.01], anneal_epochs=150, anneal_strategy="linear"), TWO, by_hand=BY_HAND),
    case("swa at once", swa(0.05, anneal_epochs=0), by_hand=BY_HAND[::2]),
    case("lambda", of_lambda("inverse_square_root")),
    case("lambda of each group", of_lambda(["slowly", "every_third"]), TWO, by_hand=BY_HAND),
    case("multiplicative", multiplicative("slowly")),
    case("multiplicative of each group", multiplicative(["slowly", "every_third"]), TWO, by_hand=BY_HAND),
]

MOMENTUM = [
    case("cyclic", cyclic(0.001, 0.1, step_size_up=20), cycled=True),
    case("cyclic uneven", cyclic(0.001, 0.1, step_size_up=13, step_size_down=50), cycled=True),
    case("cyclic without a way down", cyclic(0.001, 0.1, step_size_up=30, step_size_down=0), cycled=True),
    case("cyclic of 2000 steps", cyclic(0.001, 0.1, cycle_momentum=False), by_hand=[[9, 0, 2.0]]),
    case("cyclic halved", cyclic(0.001, 0.1, step_size_up=17, mode="triangular2"), cycled=True),
    case("cyclic range", cyclic(0.001, 0.1, step_size_up=23, mode="exp_range", gamma=0.99), cycled=True),
    case("cyclic scaled by cycle", cyclic(0.001, 0.1, step_size_up=11, scale_fn="harmonic"), cycled=True),
    case(
        "cyclic scaled by step",
        cyclic(0.001, 0.1, step_size_up=11, scale_fn="harmonic", scale_mode="iterations", cycle_momentum=False),
    ),
    case(
        "cyclic of each group",
        cyclic([0.001, 0.1], [0.01, 0.9], step_size_up=40, base_momentum=[0.7, 0.6], max_momentum=[0.8, 0.9]),
        TWO,
        torch.optim.Adam,
        cycled=True,
    ),
    case("one cycle", one_cycle(0.1, total_steps=200), cycled=True),
    case("one cycle by epochs", one_cycle(0.1, epochs=20, steps_per_epoch=11, pct_start=0.12), cycled=True),
    case("one cycle linear", one_cycle(0.1, total_steps=210, anneal_strategy="linear"), cycled=True),
    case("one cycle in three phases", one_cycle(0.1, total_steps=200, three_phase=True, pct_start=0.4), cycled=True),
    case(
        "one cycle in three linear phases",
        one_cycle(0.1, total_steps=230, three_phase=True, anneal_strategy="linear", cycle_momentum=False),
    ),
    case("one cycle without a way up", one_cycle(0.1, total_steps=200, pct_start=0.0, cycle_momentum=False)),
    case("one cycle of one step", one_cycle(0.1, total_steps=1), steps=1, cycled=True),
    case(
        "one cycle of each group",
        one_cycle(
            [0.1, 0.7],
            total_steps=205,
            div_factor=10.0,
            final_div_factor=100.0,
            base_momentum=[0.7, 0.6],
            max_momentum=[0.8, 0.9],
        ),
        TWO,
        torch.optim.Adam,
        by_hand=BY_HAND,
        cycled=True,
    ),
]

WARM_UP = linear(start_factor=0.01, total_iters=10)
QUIET = {"cycle_momentum": False}

COMPOSED = [
    case("warm-up, then cosine", sequential(WARM_UP, cosine(190), milestones=[10]), TWO, by_hand=BY_HAND),
    case(
        "sequence of those that multiply",
        sequential(
            constant(factor=0.5, total_iters=10),
            exponential(0.9),
            multi_step(0, 4, 9),
            step(7, gamma=0.5),
            constant(factor=0.2, total_iters=0),
            polynomial(total_iters=20, power=0.7),
            linear(),
            milestones=[20, 50, 80, 110, 130, 170],
        ),
        by_hand=BY_HAND[::2],
    ),
    case(
        "sequence of those that compute",
        sequential(
            of_lambda("slowly"),
            multiplicative("every_third"),
            restarts(7, t_mult=2),
            of_lambda("inverse_square_root"),
            cosine(13, eta_min=0.01),
            milestones=[20, 50, 100, 140],
        ),
        by_hand=BY_HAND[::2],
    ),
    case(
        "sequence of cycles",
        sequential(
            exponential(0.9),
            one_cycle(0.7, total_steps=60),
            cyclic(0.001, 0.2, step_size_up=9, base_momentum=0.6),
            milestones=[40, 90],
        ),
        cycled=True,
    ),
    case(
        "sequence of two one cycles",
        sequential(
            one_cycle(0.7, total_steps=80, **QUIET), one_cycle(0.3, total_steps=120, **QUIET), milestones=[80]
        ),
    ),
    case(
        "sequence that begins with a cycle",
        sequential(cyclic(0.02, 0.2, step_size_up=9, **QUIET), exponential(0.9), milestones=[50]),
    ),
    case("sequence that begins with restarts", sequential(restarts(7), exponential(0.9), milestones=[50])),
    case("sequence that begins with the second", sequential(exponential(0.9), cosine(50), milestones=[0])),
    case("sequence without its second", sequential(step(2), step(3), cosine(50), milestones=[5, 5])),
    case("sequence of one", sequential(multi_step(0, 3), milestones=[])),
    case("sequence that ends with swa", sequential(exponential(0.97), swa(0.02), milestones=[150]), TWO),
    case("sequence that begins with swa", sequential(swa(0.02), exponential(0.9), milestones=[5])),
    case("chain", chained(constant(factor=0.1, total_iters=20), exponential(0.9)), TWO, by_hand=BY_HAND),
    case("chain of more", chained(WARM_UP, step(11), cosine(60, eta_min=0.001), multiplicative("slowly"))),
    case("chain that ends with a lambda", chained(exponential(0.9), of_lambda("slowly"))),
    case("chain with a cycle", chained(exponential(0.9), cyclic(0.02, 0.2, step_size_up=9)), cycled=True),
    case(
        "chain with a sequence",
        chained(step(50), sequential(exponential(0.97), polynomial(total_iters=90), milestones=[100])),
        TWO,
    ),
    case(
        "sequence that begins with a chain",
        sequential(chained(exponential(0.9), polynomial(total_iters=40), cosine(3)), cosine(50), milestones=[30]),
        TWO,
    ),
    case(
        "sequence that begins with a sequence",
        sequential(
            sequential(exponential(0.9), multiplicative("slowly"), milestones=[20]), linear(), milestones=[30]
        ),
        TWO,
        by_hand=BY_HAND,
    ),
    case(
        "sequence in a sequence in a sequence",
        sequential(
            sequential(sequential(polynomial(total_iters=60), step(9), milestones=[0]), cosine(9), milestones=[21]),
            constant(),
            milestones=[70],
        ),
    ),
    case(
        "sequence that begins with a chain of a sequence and a cycle",
        sequential(
            chained(exponential(0.9), sequential(cyclic(0.02, 0.2, step_size_up=9), step(4), milestones=[9])),
            constant(),
            milestones=[30],
        ),
        cycled=True,
    ),
]

PLATEAU = [
    case("plateau", plateau(), metrics=LOSSES),
    case("plateau by hand", plateau(factor=0.5, patience=3, cooldown=4), TWO, metrics=LOSSES, by_hand=BY_HAND),
    case(
        "plateau with a difference",
        plateau(threshold=0.01, threshold_mode="abs", patience=0, factor=0.75, min_lr=[0.05, 0.001]),
        TWO,
        metrics=LOSSES,
    ),
    case(
        "plateau of a metric that rises",
        plateau(mode="max", patience=2, factor=0.6, eps=0.001),
        metrics=[round(1 - loss, 4) for loss in LOSSES],
    ),
    case(
        "plateau of a metric that rises by a difference",
        plateau(mode="max", patience=4, threshold_mode="abs", threshold=0.005, min_lr=0.0003),
        metrics=[round(1 - loss, 4) for loss in LOSSES],
    ),
]

ADDED = [
    case("cosine with an added group", cosine(300, eta_min=0.001), TWO, added=[60, 0.03], by_hand=BY_HAND),
    case(
        "chain with an added group",
        chained(
            constant(factor=0.5, total_iters=100),
            linear(start_factor=0.5, total_iters=90),
            exponential(0.99),
            step(40, gamma=0.5),
            multi_step(70, 80, gamma=2.0),
            polynomial(total_iters=220),
        ),
        added=[60, 0.03],
    ),
    case("plateau with an added group", plateau(patience=3, min_lr=0.001), metrics=LOSSES, added=[60, 0.03]),
]

if __name__ == "__main__":
    cases = SINGLE + MOMENTUM + COMPOSED + PLATEAU + ADDED
    table = {"torch": torch.__version__, "cases": cases}
    text = json.dumps(table, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('"rates"', '\n"rates"')
    Path(__file__).with_name("table.json").write_text(text + "\n")
