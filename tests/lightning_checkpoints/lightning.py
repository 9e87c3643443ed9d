"""The training of tests/lightning_checkpoints/model.rs in PyTorch Lightning, and what Lightning finds in a checkpoint.

`lightning.py JOBS`: does each job of a list in JSON, and prints a line of JSON for each.

- `{"optimizer": …, "epochs": …, "from": …, "to": …}` trains until the epochs are done, from a checkpoint and to another one, or null. Prints the
  weights, the learning rates, the counters and the state of the callbacks.
- `{"load": …}` prints what a checkpoint has.
- `{"weights": …}` writes a file of `torch.save` that is not a checkpoint of Lightning.
"""

import json
import logging
import sys
import tempfile
import warnings

import pytorch_lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Model(pytorch_lightning.LightningModule):
    def __init__(self, optimizer="sgd", lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.BatchNorm1d(8))
        self.head = nn.Linear(8, 1)
        # not what libtorch draws: a formula that both programs have
        for index, parameter in enumerate(self.parameters()):
            values = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.data.copy_((0.4 * torch.sin(values * 0.7 + index)).reshape(parameter.shape))

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        loss = nn.functional.mse_loss(self.head(self.body(inputs)), targets)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        inputs, targets = batch
        self.log("val_loss", nn.functional.mse_loss(self.head(self.body(inputs)), targets))

    def configure_optimizers(self):
        lr, optimizer = self.hparams.lr, self.hparams.optimizer
        if optimizer == "sgd":
            return torch.optim.SGD(self.parameters(), lr=lr, momentum=0.9)
        if optimizer == "adafactor":
            return torch.optim.Adafactor(self.parameters(), lr=lr)
        if optimizer == "lbfgs":
            return torch.optim.LBFGS(self.parameters(), lr=lr)
        if optimizer == "adamw":
            chosen = torch.optim.AdamW(self.parameters(), lr=lr, weight_decay=0.05)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(chosen, T_max=60)
            return [chosen], [{"scheduler": schedule, "interval": "step"}]
        if optimizer == "groups":
            weights = [parameter for parameter in self.parameters() if parameter.ndim > 1]
            others = [parameter for parameter in self.parameters() if parameter.ndim < 2]
            groups = [{"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
            chosen = torch.optim.AdamW(groups, lr=lr)
            warm_up = torch.optim.lr_scheduler.LinearLR(chosen, 0.1, total_iters=4)
            rest = torch.optim.lr_scheduler.StepLR(chosen, 7, 0.5)
            schedule = torch.optim.lr_scheduler.SequentialLR(chosen, [warm_up, rest], [4])
            return [chosen], [{"scheduler": schedule, "interval": "step"}]
        chosen = torch.optim.SGD(self.parameters(), lr=lr, momentum=0.9)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(chosen, factor=0.5, patience=0)
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": schedule, "monitor": "val_loss"}}


def loader(rows, offset):
    values = torch.arange(rows * 4, dtype=torch.float64).reshape(rows, 4)
    inputs = torch.cos(values * 1.3 + offset).float()
    targets = torch.sin(inputs.sum(1, keepdim=True))
    return DataLoader(TensorDataset(inputs, targets), batch_size=8)


def train(optimizer, epochs, start, end):
    model = Model(optimizer, 0.02 if optimizer in ("adamw", "groups") else 0.1)
    with tempfile.TemporaryDirectory() as folder:
        stopping = EarlyStopping("val_loss", patience=100)
        checkpoints = ModelCheckpoint(monitor="val_loss", save_top_k=1, dirpath=folder)
        trainer = pytorch_lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, callbacks=[stopping, checkpoints], enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0, default_root_dir=folder)
        trainer.fit(model, loader(36, 0.0), loader(20, 0.5), ckpt_path=start, weights_only=False)
        if end is not None:
            trainer.save_checkpoint(end)
    return {
        "weights": {name: tensor.flatten().tolist() for name, tensor in model.state_dict().items()},
        "lr": [group["lr"] for group in trainer.optimizers[0].param_groups],
        "epoch": trainer.current_epoch,
        "global_step": trainer.global_step,
        "best": float(stopping.best_score),
        "wait_count": stopping.wait_count,
        "val_loss": float(trainer.callback_metrics["val_loss"]),
        "best_model_score": float(checkpoints.best_model_score),
    }


def load(path):
    checkpoint = torch.load(path, weights_only=True)
    model = Model.load_from_checkpoint(path, weights_only=True)
    return {
        "optimizer": model.hparams.optimizer,
        "lr": model.hparams.lr,
        "stopping": next(key for key in checkpoint["callbacks"] if key.startswith("EarlyStopping")),
        "batches": checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["ready"],
    }


def done(job):
    if "load" in job:
        return load(job["load"])
    if "weights" in job:
        return torch.save(nn.Linear(2, 3).state_dict(), job["weights"])
    return train(job["optimizer"], job["epochs"], job["from"], job["to"])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for job in json.loads(sys.argv[1]):
        print(json.dumps(done(job)))
