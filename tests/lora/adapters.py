"""Adapters of PEFT for the network of main.rs: `make FOLDER` writes them, and `load FOLDER` reads those of main.rs."""

import json
import sys
from pathlib import Path

import peft
import torch
from safetensors.torch import load_file, save_file
from torch import nn

# the arguments of LoraConfig
CASES = {
    "plain": {"r": 4, "lora_alpha": 8, "target_modules": ["qkv"]},
    "expression": {"r": 3, "lora_alpha": 5, "target_modules": r"attn\.(qkv|out)", "use_rslora": True},
    "head": {"r": 2, "lora_alpha": 3, "lora_dropout": 0.3, "target_modules": ["qkv", "out"], "modules_to_save": ["head"]},
}
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1),
}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, inputs):
        query, key, value = self.qkv(inputs).chunk(3, -1)
        return self.out(torch.softmax(query @ key.transpose(-2, -1), -1) @ value)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 8)
        self.attn = Attention()
        self.head = nn.Linear(8, 3)

    def forward(self, inputs):
        return self.head(self.attn(self.embed(inputs)))


def base(folder):
    network = Network()
    network.load_state_dict(load_file(folder / "base.safetensors"))
    return network


def outputs(model, inputs):
    model.eval()
    with torch.no_grad():
        return model(inputs.flatten(0, 1))


def save(model, folder):
    # the page about the model would need another package
    model.create_or_update_model_card = lambda *_: None
    model.save_pretrained(folder)


def train(model, optimizer, batch):
    model.train()
    optimizer = OPTIMIZERS[optimizer](parameter for parameter in model.parameters() if parameter.requires_grad)
    for index, (inputs, targets) in enumerate(zip(batch["inputs"], batch["targets"])):
        # what dropout draws
        torch.manual_seed(index)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()


def make(folder):
    """Writes a base, batches, and for each case an adapter, its outputs, and the adapters after a step for each batch."""
    torch.manual_seed(5)
    save_file(Network().state_dict(), folder / "base.safetensors")
    batch = {"inputs": torch.randn(3, 4, 5, 6), "targets": torch.randn(3, 4, 5, 3)}
    save_file(batch, folder / "batch.safetensors")
    for case, arguments in CASES.items():
        config = peft.LoraConfig(**arguments, init_lora_weights=False)
        model = peft.get_peft_model(base(folder), config)
        save(model, folder / case)
        save_file({"outputs": outputs(model, batch["inputs"])}, folder / case / "outputs.safetensors")
        for optimizer in OPTIMIZERS:
            model = peft.PeftModel.from_pretrained(base(folder), folder / case, is_trainable=True)
            train(model, optimizer, batch)
            save(model, folder / case / optimizer)
    for name, arguments in {"dora": {"use_dora": True}, "pissa": {"init_lora_weights": "pissa"}, "bias": {"bias": "all"},
                            "ranks": {"rank_pattern": {"out": 2}}}.items():
        config = peft.LoraConfig(**CASES["plain"], **arguments)
        save(peft.get_peft_model(base(folder), config), folder / name)


def load(folder):
    """Prints what PEFT says of our adapters, and a network without adapters of our merged weights."""
    inputs = load_file(folder / "batch.safetensors")["inputs"]
    for case in CASES:
        model = peft.PeftModel.from_pretrained(base(folder), folder / "ours" / case)
        merged = Network()
        merged.load_state_dict(load_file(folder / "ours" / case / "merged.safetensors"))
        config = model.peft_config["default"]
        save_file({"adapted": outputs(model, inputs), "merged": outputs(merged, inputs)},
                  folder / "ours" / case / "outputs.safetensors")
        print(json.dumps([case, config.r, config.lora_alpha, sorted(config.target_modules), sorted(config.modules_to_save or [])]))


if __name__ == "__main__":
    verb, place = sys.argv[1:]
    {"make": make, "load": load}[verb](Path(place))
