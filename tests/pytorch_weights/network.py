"""What PyTorch makes of our files, and files that PyTorch makes for us: `values FILE`, `save FOLDER`, `load FOLDER` or
`script FOLDER`.

The network is the one of main.rs.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


def network():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))


def values(file):
    """Prints each tensor's dtype, shape and values."""
    tensors = load_file(file)
    print(json.dumps({name: [str(tensor.dtype), list(tensor.shape), tensor.double().flatten().tolist()]
                      for name, tensor in tensors.items()}))


def save(folder):
    """Writes the weights of a network that has seen some batches, in many formats; images, and what it says of them."""
    torch.manual_seed(3)
    module = network()
    for _ in range(3):
        module(torch.randn(8, 1, 6, 6) * 2 + 1)
    images = torch.randn(5, 1, 6, 6)
    module.eval()
    with torch.no_grad():
        save_file({"images": images, "outputs": module(images)}, folder / "batch.safetensors")
    weights = module.state_dict()
    assert weights["1.num_batches_tracked"] == 3
    save_file(weights, folder / "model.safetensors")
    torch.save(weights, folder / "zip.ckpt")
    torch.save(weights, folder / "pickle.ckpt", _use_new_zipfile_serialization=False)
    # as Lightning writes it, with an object of which a reader must not run code
    lightning = {"epoch": 2, "state_dict": {f"model.{name}": tensor for name, tensor in weights.items()},
                 "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}}], "folder": folder}
    torch.save(lightning, folder / "lightning.ckpt")
    torch.save({"ema": weights, "steps": 7}, folder / "ema.pth")
    # in two files with an index, as Hugging Face writes large models
    (folder / "sharded").mkdir()
    shards = {"model-00001-of-00002.safetensors": ["0.weight", "4.weight"],
              "model-00002-of-00002.safetensors": [name for name in weights if name not in ["0.weight", "4.weight"]]}
    for file, names in shards.items():
        save_file({name: weights[name] for name in names}, folder / "sharded" / file)
    index = {"metadata": {}, "weight_map": {name: file for file, names in shards.items() for name in names}}
    (folder / "sharded" / "model.safetensors.index.json").write_text(json.dumps(index))
    # other names, dtypes and order of dimensions, and a last layer of another size
    other = {f"features.{name}".replace("1.weight", "1.gamma"): tensor.double() if name.startswith("1.") else tensor
             for name, tensor in weights.items() if not name.startswith("4.")}
    other["classifier.weight"] = weights["4.weight"].T.contiguous()
    other["classifier.bias"] = weights["4.bias"]
    other["extra"] = torch.zeros(2)
    save_file(other, folder / "other.safetensors")


def load(folder):
    """Writes what a network with our weights says of our images."""
    module = network()
    module.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    module.eval()
    images = load_file(folder / "images.safetensors")["images"]
    with torch.no_grad():
        save_file({"outputs": module(images)}, folder / "outputs.safetensors")


def script(folder):
    """Uses a module that was traced in Rust: its outputs, its parameters, its dtype, and a step of training."""
    module = torch.jit.load(folder / "model.pt")
    images = load_file(folder / "images.safetensors")["images"]
    expected = network()
    expected.load_state_dict(module.state_dict(), strict=True)
    assert sorted(dict(module.named_parameters())) == sorted(dict(expected.named_parameters()))
    assert all(parameter.requires_grad for parameter in module.parameters())
    with torch.no_grad():
        scores, labels = module(images)
        assert torch.equal(labels, scores.argmax(1))
        assert torch.allclose(scores, expected.eval()(images), atol=1e-6)
        frozen = torch.jit.freeze(module.eval())
        assert torch.allclose(frozen(images)[0], scores, atol=1e-6)
        save_file({"outputs": scores}, folder / "outputs.safetensors")
    module(images)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    assert module.double()(images.double())[0].dtype == torch.float64


verb, place = sys.argv[1:]
{"values": values, "save": save, "load": load, "script": script}[verb](Path(place))
