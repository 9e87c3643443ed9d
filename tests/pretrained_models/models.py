"""`models.py FOLDER`: writes small random models of transformers, torchvision and PEFT, and what they say of some inputs."""

import sys
from pathlib import Path

import peft
import torch
import torchvision
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel


def gpt2(folder):
    torch.manual_seed(2)
    config = GPT2Config(vocab_size=50, n_positions=16, n_embd=24, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    # drawn again, as those of a new model are so small that all outputs are alike
    for name, parameter in model.named_parameters():
        parameter.data.normal_(1.0 if "ln_" in name and name.endswith("weight") else 0.0, 0.3)
    model.save_pretrained(folder / "gpt2")
    # as the published file: the transformer alone, without its prefix, and with the masks of older versions
    published = {name: tensor.contiguous() for name, tensor in model.transformer.state_dict().items()}
    published |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 16, 16) for layer in range(3)}
    save_file(published, folder / "published.safetensors")
    tokens = torch.randint(50, (3, 16))
    with torch.no_grad():
        written = {"tokens": tokens, "logits": model(tokens).logits, "short": model(tokens[:, :5].contiguous()).logits}
        lora = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True, init_lora_weights=False)
        adapted = peft.get_peft_model(model, lora).eval()
        adapted.create_or_update_model_card = lambda *_: None
        adapted.save_pretrained(folder / "adapter")
        written["adapted"] = adapted(tokens).logits
    save_file(written, folder / "gpt2.safetensors")


def resnet18(folder):
    torch.manual_seed(3)
    model = torchvision.models.resnet18(num_classes=7)
    images = torch.randn(4, 3, 64, 64)
    # batches that the running means and variances follow
    for _ in range(3):
        model(torch.randn(8, 3, 64, 64) + 0.5)
    model.eval()
    torch.save(model.state_dict(), folder / "resnet18.pth")
    with torch.no_grad():
        logits = model(images)
        model.fc = torch.nn.Identity()
        save_file({"images": images, "features": model(images), "logits": logits}, folder / "resnet18.safetensors")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    gpt2(place)
    resnet18(place)
