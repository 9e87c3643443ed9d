"""Writes table.json: what PyTorch Lightning's callbacks do with a tiny model. Needs lightning 2.6.6 and torch 2.13.0:
`python table.py`.

The model is one linear layer, 4 to 1: weight w[k] = sin(k+1)/2 for k = 0..3, bias 0. Row n of a loader, n = 1.., has
x[j] = sin(0.1 (n+o) (j+1)) for j = 0..3 and y = cos(0.3 (n+o)), where o is 0 for training, 1000 for validation, 2000 for testing and 3000 for prediction. A batch has 2
rows, an epoch 4 batches, all others 2. The loss is the mean squared error. All numbers come from formulas, so that no random
generator has to agree.
"""

import inspect
import json
import logging
import math
import sys
import tempfile
import types
import warnings
from datetime import timedelta
from pathlib import Path

import torch

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
import lightning.pytorch as pl  # noqa: E402
from lightning.pytorch.callbacks import (  # noqa: E402
    BackboneFinetuning,
    BasePredictionWriter,
    Callback,
    DeviceStatsMonitor,
    EMAWeightAveraging,
    GradientAccumulationScheduler,
    LambdaCallback,
    LearningRateMonitor,
    OnExceptionCheckpoint,
    StochasticWeightAveraging,
    ThroughputMonitor,
    Timer,
)
import lightning.pytorch.accelerators.cpu  # noqa: E402
import lightning.pytorch.callbacks.device_stats_monitor  # noqa: E402
from lightning.fabric.utilities.throughput import Throughput  # noqa: E402
from lightning.pytorch.loggers import Logger  # noqa: E402
from lightning.pytorch.tuner import Tuner  # noqa: E402
from torch.optim.lr_scheduler import StepLR  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402


def loader(offset, batches):
    n = torch.arange(2 * batches, dtype=torch.float64)[:, None] + 1 + offset
    x = torch.sin(0.1 * n * (torch.arange(4, dtype=torch.float64) + 1)).float()
    return DataLoader(TensorDataset(x, torch.cos(0.3 * n).float()), batch_size=2)


class Line(pl.LightningModule):
    def __init__(self, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1)):
        super().__init__()
        self.optimizer = optimizer
        self.layer = torch.nn.Linear(4, 1)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([[math.sin(k + 1) / 2 for k in range(4)]]))
            self.layer.bias.zero_()

    def loss(self, batch):
        x, y = batch
        return torch.nn.functional.mse_loss(self.layer(x), y)

    def training_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("train_loss", loss, batch_size=2)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(batch), batch_size=2)

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self.loss(batch), batch_size=2)

    def predict_step(self, batch, batch_idx, dataloader_idx=0):
        return self.layer(batch[0])

    def configure_optimizers(self):
        return self.optimizer(self.parameters())

    def train_dataloader(self):
        return loader(0, 4)

    def val_dataloader(self):
        return loader(1000, 2)

    def test_dataloader(self):
        return loader(2000, 2)

    def predict_dataloader(self):
        return loader(3000, 2)


class NormedLine(Line):
    """The same behind a batch norm."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.norm = torch.nn.BatchNorm1d(4, momentum=0.3)

    def loss(self, batch):
        x, y = batch
        return torch.nn.functional.mse_loss(self.layer(self.norm(x)), y)


class Recorder(Logger):
    name, version = "recorder", "0"

    def __init__(self):
        super().__init__()
        self.rows = []

    def log_hyperparams(self, *arguments, **options): ...

    def log_metrics(self, metrics, step):
        self.rows.append([step, {name: float(value) for name, value in metrics.items()}])


def fit(model, callbacks, **options):
    """Fits, and returns the trainer and the rows that were logged."""
    recorder = Recorder()
    trainer = trainer_of(callbacks, recorder, **options)
    trainer.fit(model)
    return trainer, recorder.rows


def trainer_of(callbacks, recorder, **options):
    options = {"max_epochs": 3, "enable_checkpointing": False, "num_sanity_val_steps": 0, **options}
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        logger=recorder,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tempfile.mkdtemp(),
        **options,
    )


class Halving(Callback):
    """Halves the learning rate after each epoch."""

    def on_train_epoch_end(self, trainer, module):
        for group in trainer.optimizers[0].param_groups:
            group["lr"] /= 2


def learning_rate_monitor():
    cases = []
    for options in [
        {},
        {"logging_interval": "step", "log_momentum": True},
        {"logging_interval": "epoch", "log_weight_decay": True},
    ]:
        for name, accumulate in [("SGD", 1), ("AdamW", 2)]:
            arguments = {"SGD": {"momentum": 0.9, "weight_decay": 0.01}, "AdamW": {}}[name]
            model = Line(lambda parameters: getattr(torch.optim, name)(parameters, lr=0.1, **arguments))
            monitor = LearningRateMonitor(**options)
            _, rows = fit(model, [monitor, Halving()], log_every_n_steps=2, accumulate_grad_batches=accumulate)
            cases.append(
                {"monitor": options, "optimizer": name, "accumulate": accumulate, "rows": rows, "lrs": monitor.lrs}
            )
    return cases


def grouped(module):
    """A group for the weight and one for the bias."""
    groups = [{"params": [module.layer.weight], "lr": 0.1}, {"params": [module.layer.bias], "lr": 0.01}]
    return torch.optim.SGD(groups, momentum=0.9)


class Scheduled(Line):
    def __init__(self, config):
        super().__init__()
        self.config = config

    def configure_optimizers(self):
        optimizer = grouped(self)
        return [optimizer], [{"scheduler": StepLR(optimizer, 2), **self.config}]


def scheduled_learning_rate_monitor():
    cases = []
    for config in [{"interval": "epoch"}, {"interval": "step", "name": "warm"}]:
        monitor = LearningRateMonitor(log_momentum=True)
        _, rows = fit(Scheduled(config), [monitor], log_every_n_steps=2)
        cases.append({"scheduler": config, "rows": rows, "lrs": monitor.lrs})
    return cases


def timer():
    """Where training ends: of durations, none at all and one that is over as soon as it has begun."""
    cases = []
    for microseconds in [None, 0, 1]:
        for interval in ["step", "epoch"]:
            for options in [{}, {"min_epochs": 2}, {"min_steps": 6}]:
                duration = None if microseconds is None else timedelta(microseconds=microseconds)
                trainer, _ = fit(Line(), [Timer(duration, interval)], **options)
                case = {"microseconds": microseconds, "interval": interval, "trainer": options}
                cases.append({**case, "epoch": trainer.current_epoch, "step": trainer.global_step})
    return cases


def values(model):
    """All parameters and buffers that tch has too."""
    return {
        name: tensor.flatten().tolist()
        for name, tensor in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


class Steps(Callback):
    """The steps so far, after each epoch."""

    def __init__(self):
        self.steps = []

    def on_train_epoch_end(self, trainer, module):
        self.steps.append(trainer.global_step)


def gradient_accumulation_scheduler():
    cases = []
    for scheduling in [{0: 2, 1: 4}, {1: 3}, {0: 4, 2: 1}]:
        model, steps = Line(), Steps()
        given = list(scheduling.items())
        fit(model, [GradientAccumulationScheduler(scheduling), steps])
        cases.append({"scheduling": given, "steps": steps.steps, "model": values(model)})
    return cases


class Rates(Callback):
    """The learning rate of each epoch."""

    def __init__(self):
        self.rates = []

    def on_train_epoch_start(self, trainer, module):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def stochastic_weight_averaging():
    cases = []
    for make, options, trainer in [
        (Line, {"swa_epoch_start": 2, "annealing_epochs": 3}, {"max_epochs": 5}),
        (Line, {"swa_epoch_start": 2, "annealing_epochs": 3}, {"max_epochs": 5, "max_steps": 14}),
        (Line, {"swa_epoch_start": 0.75}, {"max_epochs": 8}),
        (NormedLine, {"swa_epoch_start": 0.5, "annealing_epochs": 2, "annealing_strategy": "linear"}, {"max_epochs": 6}),
        (NormedLine, {"swa_epoch_start": 1, "annealing_epochs": 0}, {"max_epochs": 3, "accumulate_grad_batches": 2}),
    ]:
        model, rates = make(), Rates()
        swa = StochasticWeightAveraging(swa_lrs=0.02, **options)
        ended, rows = fit(model, [swa, rates], log_every_n_steps=1, **trainer)
        case = {"swa": {"swa_lrs": 0.02, **options}, "trainer": trainer, "normed": make is NormedLine}
        case |= {"rates": rates.rates, "rows": rows, "epoch": ended.current_epoch, "n_averaged": int(swa.n_averaged)}
        cases.append({**case, "model": values(model)})
    return cases


def exponential_moving_average():
    cases = []
    for make, options, trainer in [
        (Line, {"decay": 0.5}, {}),
        (NormedLine, {"decay": 0.8, "update_every_n_steps": 3}, {}),
        (NormedLine, {"decay": 0.9, "use_buffers": False}, {"accumulate_grad_batches": 2}),
        (Line, {"decay": 0.25, "update_every_n_steps": 0, "update_starting_at_epoch": 1}, {"limit_val_batches": 0}),
        (Line, {"decay": 0.75, "update_starting_at_step": 5}, {"limit_val_batches": 0}),
    ]:
        model = make()
        average = EMAWeightAveraging(**options)
        _, rows = fit(model, [average], log_every_n_steps=1, **trainer)
        n_averaged = int(average._average_model.n_averaged)
        case = {"average": options, "trainer": trainer, "normed": make is NormedLine, "rows": rows}
        cases.append({**case, "n_averaged": n_averaged, "model": values(model)})
    return cases


class Failing(Line):
    def training_step(self, batch, batch_idx):
        raise ValueError("no more")


def lambda_callback():
    """The hooks of all verbs, of a run that is resumed, and of one that fails, in their order."""
    called = []
    hooks = [name for name in inspect.signature(LambdaCallback).parameters]

    def trainer(**options):
        lambdas = {hook: lambda *_, hook=hook, **__: called.append(hook) for hook in hooks}
        return trainer_of([LambdaCallback(**lambdas)], Recorder(), max_epochs=1, num_sanity_val_steps=1, **options)

    path = f"{tempfile.mkdtemp()}/first.ckpt"
    first = trainer()
    first.fit(Line())
    first.save_checkpoint(path)
    trainer().validate(Line(), ckpt_path=path, verbose=False)
    trainer().test(Line(), verbose=False)
    trainer().predict(Line())
    try:
        trainer().fit(Failing())
    except ValueError:
        pass
    return {"hooks": hooks, "called": called}


def throughput():
    """What is computed after each update; an update is the time, and the totals of batches, samples, lengths and flops."""
    cases = []
    for window, counts in [(2, 2), (3, 3), (5, 4), (4, 2)]:
        # flops are given for each update
        metrics = Throughput(window_size=window, available_flops=1e6)
        updates, computed, flops = [], [], 0
        for batches in range(1, 9):
            time = batches + 0.3 * math.sin(batches)
            totals = [batches, 3 * batches + batches % 2, 40 * batches, 1000 + 10 * batches][:counts]
            flops += totals[3] if counts == 4 else 0
            metrics.update(time=time, **dict(zip(["batches", "samples", "lengths", "flops"], totals)))
            updates.append([time, *totals[:3], *([flops] if counts == 4 else [])])
            computed.append(metrics.compute())
        cases.append({"window_size": window, "updates": updates, "computed": computed})
    return cases


def throughput_monitor():
    """The rows of all loops, without what depends on the machine's speed."""
    cases = []
    for options in [{"log_every_n_steps": 1}, {"log_every_n_steps": 2, "accumulate_grad_batches": 2}]:
        model = Line()
        model.flops_per_batch = 100
        recorder = Recorder()
        for verb in ["fit", "validate", "test", "predict"]:
            monitor = ThroughputMonitor(lambda batch: len(batch[0]), lambda batch: batch[0].numel(), window_size=3)
            verbose = {} if verb in ["fit", "predict"] else {"verbose": False}
            getattr(trainer_of([monitor], recorder, **options), verb)(model, **verbose)
        counted = ["batches", "samples", "lengths", "epoch"]
        rows = [
            [step, {name: value if name.split("/")[-1] in counted else None for name, value in row.items()}]
            for step, row in recorder.rows
            if any("/" in name for name in row)
        ]
        cases.append({"trainer": options, "rows": rows})
    return cases


class Written(BasePredictionWriter):
    """What was written, for each call: the batch's place, or none, and its predictions."""

    def __init__(self, interval):
        super().__init__(interval)
        self.calls = []

    def write_on_batch_end(self, trainer, module, prediction, indices, batch, batch_idx, dataloader_idx):
        self.calls.append([[batch_idx, dataloader_idx], [prediction.flatten().tolist()]])

    def write_on_epoch_end(self, trainer, module, predictions, indices):
        self.calls.append([None, [batch.flatten().tolist() for loader in predictions for batch in loader]])


def write_predictions():
    cases = []
    for interval in ["batch", "epoch", "batch_and_epoch"]:
        writer = Written(interval)
        trainer_of([writer], Recorder()).predict(Line(), [loader(3000, 2), loader(3100, 1)])
        cases.append({"write_interval": interval, "calls": writer.calls})
    return cases


def device_stats_monitor():
    """The names that are logged at each step. What psutil says of the machine is left out, so that it need not be there."""
    percent = types.SimpleNamespace(percent=50.0)
    sys.modules["psutil"] = types.SimpleNamespace(
        virtual_memory=lambda: percent, cpu_percent=lambda: 50.0, swap_memory=lambda: percent
    )
    pl.accelerators.cpu._PSUTIL_AVAILABLE = pl.callbacks.device_stats_monitor._PSUTIL_AVAILABLE = True
    recorder = Recorder()
    for verb, verbose in [("fit", {}), ("validate", {"verbose": False}), ("test", {"verbose": False})]:
        monitor = DeviceStatsMonitor()
        trainer = trainer_of([monitor], recorder, log_every_n_steps=2)
        getattr(trainer, verb)(Line(), **verbose)
    return [[step, sorted(row)] for step, row in recorder.rows if "epoch" not in row]


class FailingAt(Callback):
    def __init__(self, epoch, batch):
        self.at = epoch, batch

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.at:
            raise ValueError("no more")


def on_exception_checkpoint():
    """What the checkpoint of a failed run has, and whether it is there after one that did not fail."""
    folder = Path(tempfile.mkdtemp())
    try:
        fit(Line(), [FailingAt(1, 2), OnExceptionCheckpoint(folder)], enable_checkpointing=True)
    except ValueError:
        pass
    path = folder / "on_exception.ckpt"
    saved = torch.load(path)
    weights = {name: tensor.flatten().tolist() for name, tensor in saved["state_dict"].items()}
    fit(Line(), [OnExceptionCheckpoint(folder)], enable_checkpointing=True)
    return {"epoch": saved["epoch"], "step": saved["global_step"], "model": weights, "is_kept": path.exists()}


class Transfer(Line):
    """A backbone of a linear layer without a bias, 4 to 3, and a batch norm, with a head, 3 to 1."""

    def __init__(self, chosen):
        super().__init__()
        del self.layer
        self.chosen = chosen
        linear, norm = torch.nn.Linear(4, 3, bias=False), torch.nn.BatchNorm1d(3)
        self.backbone = torch.nn.Sequential()
        self.backbone.add_module("linear", linear)
        self.backbone.add_module("norm", norm)
        self.head = torch.nn.Linear(3, 1)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor([[math.sin(4 * i + k + 1) / 2 for k in range(4)] for i in range(3)]))
            self.head.weight.copy_(torch.tensor([[math.cos(i + 1) / 2 for i in range(3)]]))
            self.head.bias.zero_()

    def loss(self, batch):
        x, y = batch
        return torch.nn.functional.mse_loss(self.head(self.backbone(x)), y)

    def configure_optimizers(self):
        if self.chosen == "head":
            parameters = self.head.parameters()
        else:
            parameters = filter(lambda parameter: parameter.requires_grad, self.parameters())
        return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)

    def train_dataloader(self):
        # of two rows a batch norm leaves nothing but their signs
        return DataLoader(loader(0, 4).dataset, batch_size=4)


class GroupRates(Callback):
    """The learning rates of all groups, at the end of each epoch."""

    def __init__(self):
        self.rates = []

    def on_train_epoch_end(self, trainer, module):
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])


def backbone_finetuning():
    cases = []
    for chosen, options in [
        ("head", {}),
        ("requires_grad", {"backbone_initial_ratio_lr": 0.02}),
        ("head", {"backbone_initial_lr": 0.07, "should_align": False, "train_bn": False}),
        ("head", {"backbone_initial_lr": 0.03, "train_bn": True}),
    ]:
        model, rates = Transfer(chosen), GroupRates()
        finetuning = BackboneFinetuning(2, lambda epoch: 1 + 0.25 * epoch, **options)
        fit(model, [finetuning, rates], max_epochs=5)
        cases.append({"chosen": chosen, "finetuning": options, "rates": rates.rates, "model": values(model)})
    return cases


def learning_rate_finder():
    """The learning rates and the losses of range tests, and what is suggested."""
    cases = []
    for options in [
        {"min_lr": 1e-4, "max_lr": 1.0, "num_training_steps": 40},
        {"min_lr": 1e-3, "max_lr": 30.0, "num_training_steps": 60},
        {"min_lr": 0.01, "max_lr": 0.3, "num_training_steps": 25, "mode": "linear", "early_stop_threshold": None},
    ]:
        trainer = trainer_of([], Recorder(), max_epochs=1000)
        arguments = {**options, "num_training": options["num_training_steps"], "update_attr": False}
        del arguments["num_training_steps"]
        found = Tuner(trainer).lr_find(Line(), **arguments)
        results = {"lrs": found.results["lr"], "losses": found.results["loss"]}
        cases.append({"finder": options, "curve": results, "suggestion": found.suggestion()})
    return cases


class Sized(Line):
    """A model that is out of memory where a batch has more rows than a limit."""

    def __init__(self, rows, limit, batch_size):
        super().__init__()
        self.batch_size, self.rows, self.limit, self.tried = batch_size, rows, limit, []

    def training_step(self, batch, batch_idx):
        if self.tried[-1:] != [self.batch_size]:
            self.tried.append(self.batch_size)
        if len(batch[0]) > self.limit:
            raise RuntimeError("CUDA out of memory.")
        return self.loss(batch)

    def train_dataloader(self):
        return DataLoader(loader(0, self.rows // 2).dataset, batch_size=self.batch_size)


def batch_size_finder():
    """The sizes that are tried, of a model whose batches may have so many rows, and the one that is found."""
    cases = []
    for rows, limit, options in [
        (200, 21, {}),
        (200, 21, {"mode": "binsearch", "margin": 0.0}),
        (200, 21, {"mode": "binsearch"}),
        (200, 1000, {"init_val": 5}),
        (200, 1000, {"mode": "binsearch", "init_val": 5, "max_val": 64}),
        (200, 1000, {"max_trials": 3}),
        (200, 11, {"mode": "binsearch", "init_val": 32, "margin": 0.2}),
        (26, 1000, {"mode": "binsearch", "margin": 0.1}),
    ]:
        # Lightning's first trial has the loader that is there
        model = Sized(rows, limit, options.get("init_val", 2))
        found = Tuner(trainer_of([], Recorder())).scale_batch_size(model, **options)
        case = {"rows": rows, "limit": limit, "finder": options}
        cases.append({**case, "tried": model.tried, "found": found})
    return cases


if __name__ == "__main__":
    torch.set_num_threads(1)
    sections = [learning_rate_monitor, scheduled_learning_rate_monitor, timer, gradient_accumulation_scheduler]
    sections += [stochastic_weight_averaging, exponential_moving_average, lambda_callback, throughput]
    sections += [throughput_monitor, write_predictions, device_stats_monitor]
    sections += [on_exception_checkpoint, backbone_finetuning]
    sections += [learning_rate_finder, batch_size_finder]
    lines = [f"{json.dumps(section.__name__)}: {json.dumps(section())}" for section in sections]
    Path(__file__).with_name("table.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
