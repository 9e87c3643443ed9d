//! The models of the examples with weights of Python compute what Python computes: GPT-2 as transformers, and ResNet-18 as torchvision.
#![allow(missing_docs)]

use examples::gpt2::{self, Config, Gpt2};
use std::path::Path;
use std::sync::OnceLock;
use tch::vision::resnet;
use tch_lightning::checkpoint::weights;
use tch_lightning::lora::{self, Lora};
use tch_lightning::prelude::*;
use tests::python;
use tests::tensors::{assert_close, tensors};

/// The most that outputs may differ.
const TOLERANCE: f64 = 1e-5;

/// The GPT-2 of models.py.
const SMALL: Config = Config { vocabulary: 50, positions: 16, width: 24, layers: 3, heads: 4, dropout: 0.1 };

/// The folder with what models.py writes; `None` where there is no Python to run it.
fn written_in_python() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        python::run("pretrained_models/models.py", [folder.path()]).map(|_| folder)
    });
    folder.as_ref().map(tempfile::TempDir::path)
}

fn small(lora: Option<&Lora>) -> (nn::VarStore, Gpt2) {
    let vs = nn::VarStore::new(Device::Cpu);
    let net = Gpt2::new(&vs.root(), SMALL, lora).unwrap();
    (vs, net)
}

#[test]
fn logits_of_gpt2_are_those_of_transformers() {
    let Some(folder) = written_in_python() else { return };
    let theirs = tensors(folder.join("gpt2.safetensors"));
    for file in ["gpt2/model.safetensors", "gpt2", "published.safetensors"] {
        let (mut vs, net) = small(None);
        gpt2::pretrained(folder.join(file)).unwrap().load(&mut vs).unwrap();
        assert_close(&tch::no_grad(|| net.forward(&theirs["tokens"])), &theirs["logits"], TOLERANCE, file);
        let short = tch::no_grad(|| net.forward(&theirs["tokens"].narrow(1, 0, 5)));
        assert_close(&short, &theirs["short"], TOLERANCE, file);
    }
}

#[test]
fn logits_of_gpt2_with_an_adapter_are_those_of_peft() {
    let Some(folder) = written_in_python() else { return };
    let theirs = tensors(folder.join("gpt2.safetensors"));
    let adapter = lora::open(folder.join("adapter")).unwrap();
    let (mut vs, net) = small(Some(&adapter.lora()));
    gpt2::pretrained(folder.join("gpt2")).unwrap().load(&mut vs).unwrap();
    let loaded = adapter.load(&mut vs).unwrap();
    assert_eq!(loaded.taken.len(), 2 * 2 * 3, "two matrices of two layers in three blocks");
    assert_close(&tch::no_grad(|| net.forward(&theirs["tokens"])), &theirs["adapted"], TOLERANCE, "adapter");
}

#[test]
fn features_of_resnet_are_those_of_torchvision() {
    let Some(folder) = written_in_python() else { return };
    let theirs = tensors(folder.join("resnet18.safetensors"));
    let mut vs = nn::VarStore::new(Device::Cpu);
    let net = resnet::resnet18(&vs.root(), 7);
    weights::load(&mut vs, folder.join("resnet18.pth")).unwrap();
    assert_close(&tch::no_grad(|| net.forward_t(&theirs["images"], false)), &theirs["logits"], TOLERANCE, "logits");

    let mut vs = nn::VarStore::new(Device::Cpu);
    let net = resnet::resnet18_no_final_layer(&(vs.root() / "backbone"));
    let pretrained = weights::open(folder.join("resnet18.pth")).unwrap();
    let loaded = pretrained.rename([("**", "backbone.**")]).except("backbone.fc.*").load(&mut vs).unwrap();
    assert_eq!(loaded.to_string(), "100 tensors loaded");
    assert_close(&tch::no_grad(|| net.forward_t(&theirs["images"], false)), &theirs["features"], TOLERANCE, "features");
}
