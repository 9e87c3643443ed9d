"""Compiles a small model by AOTInductor into the folder of the first argument, with outputs that it computes there itself."""

import os
import sys
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "cache")

import torch
from safetensors.torch import save_file

# headers are compiled ahead for many models, and this is one
OPTIONS = {"aot_inductor.check_lowerbound": False, "aot_inductor.precompile_headers": False}


class Teacher(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))

    def forward(self, features, scale):
        logits = self.layers(features) * scale
        return logits, logits.softmax(-1)


def with_metadata(package, old, new, path):
    """Writes a package again, with other words in its metadata."""
    with zipfile.ZipFile(package) as read, zipfile.ZipFile(path, "w") as written:
        for name in read.namelist():
            contents = read.read(name)
            written.writestr(name, contents.replace(old, new) if name.endswith("_metadata.json") else contents)


torch.manual_seed(3)
teacher = Teacher().eval()
batch = torch.export.Dim("batch", max=64)
inputs = torch.randn(5, 4), torch.rand(5, 1)
exported = torch.export.export(teacher, inputs, dynamic_shapes=({0: batch}, {0: batch}))
path = str(folder / "teacher.pt2")
package = torch._inductor.aoti_compile_and_package(exported, package_path=path, inductor_configs=OPTIONS)
with_metadata(package, b'"cpu"', b'"cuda"', folder / "cuda.pt2")
torch.jit.script(teacher).save(folder / "torchscript.pt")
torch.save(teacher.state_dict(), folder / "state_dict.pt")

tensors = {}
for size in (1, 7, 64):
    features, scale = torch.randn(size, 4), torch.rand(size, 1)
    with torch.no_grad():
        logits, probabilities = teacher(features, scale)
    named = {"features": features, "scale": scale, "logits": logits, "probabilities": probabilities}
    tensors |= {f"{name}_{size}": tensor for name, tensor in named.items()}
save_file(tensors, folder / "batches.safetensors")
