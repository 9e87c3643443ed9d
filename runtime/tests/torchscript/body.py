"""Writes body.pt, a scripted model, and body.json, what PyTorch makes of it in training: `python body.py`. Needs torch 2.13."""

import json
import pathlib

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))

    def forward(self, x):
        # a branch, which a trace would not have
        if bool(x.sum() > 0):
            return self.layers(x)
        return -self.layers(x)


def main():
    torch.manual_seed(1)
    body = Body()
    for number, parameter in enumerate(body.parameters()):
        parameter.data = (torch.arange(parameter.numel()) + number).sin().view_as(parameter) / 2
    body.eval()
    torch.jit.script(body).save(FOLDER / "body.pt")
    head = nn.Linear(2, 1)
    head.weight.data, head.bias.data = torch.tensor([[0.5, -0.25]]), torch.zeros(1)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1, momentum=0.9)
    losses = []
    for step in range(4):
        x = ((torch.arange(6.0) + 7 * step) * 1.3).sin().view(2, 3)
        loss = (head(body(x)) - x.sum(1, keepdim=True)).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    values = {f"body.{name.replace('.', '_')}": value.flatten().tolist() for name, value in body.named_parameters()}
    values |= {f"head.{name}": value.flatten().tolist() for name, value in head.named_parameters()}
    (FOLDER / "body.json").write_text(json.dumps({"losses": losses, "values": values}, indent=1) + "\n")


main()
