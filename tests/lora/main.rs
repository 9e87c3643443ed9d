//! Adapters from PEFT and to it, asked of PEFT itself.
#![allow(missing_docs)]

mod network;
mod refused;

use network::{Network, train};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;
use tch_lightning::checkpoint::weights;
use tch_lightning::lora::{self, Lora};
use tch_lightning::prelude::*;
use tests::python;
use tests::tensors::{assert_close, tensors};

/// The most that outputs and weights may differ.
const TOLERANCE: f64 = 1e-5;

/// The cases of adapters.py.
const CASES: [&str; 3] = ["plain", "expression", "head"];

/// The folder with what adapters.py makes; `None` where there is no Python to run it.
fn made_in_python() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        in_python("make", folder.path()).map(|_| folder)
    });
    folder.as_ref().map(tempfile::TempDir::path)
}

fn in_python(verb: &str, folder: &Path) -> Option<String> {
    python::run("lora/adapters.py", [verb.as_ref(), folder.as_os_str()])
}

/// The base with the adapter of a case.
fn adapted(folder: &Path, case: &str) -> (Network, Lora) {
    let adapter = lora::open(folder.join(case)).unwrap();
    let lora = adapter.lora();
    let mut network = Network::new(Some(&lora));
    weights::open(folder.join("base.safetensors")).unwrap().except(lora::ADAPTERS).load(&mut network.vs).unwrap();
    adapter.load(&mut network.vs).unwrap();
    lora.freeze_base(&network.vs).unwrap();
    (network, lora)
}

#[test]
fn adapters_of_peft_give_its_outputs() {
    let Some(folder) = made_in_python() else { return };
    let inputs = tensors(folder.join("batch.safetensors"))["inputs"].flatten(0, 1);
    let mut without = Network::new(None);
    weights::load(&mut without.vs, folder.join("base.safetensors")).unwrap();
    for case in CASES {
        let (network, _) = adapted(folder, case);
        let theirs = &tensors(folder.join(case).join("outputs.safetensors"))["outputs"];
        assert_close(&network.outputs(&inputs), theirs, TOLERANCE, case);
        assert!((without.outputs(&inputs) - theirs).abs().max().double_value(&[]) > 0.01, "{case}");
    }
}

#[test]
fn adapters_are_trained_as_by_peft() {
    let Some(folder) = made_in_python() else { return };
    let batch = tensors(folder.join("batch.safetensors"));
    for case in CASES {
        for optimizer in ["sgd", "adamw"] {
            let (mut network, lora) = adapted(folder, case);
            let base = network.vs.variables()["attn.qkv.weight"].copy();
            train(&mut network, optimizer, &batch);
            assert_eq!(network.vs.variables()["attn.qkv.weight"], base);
            let ours = tempfile::tempdir().unwrap();
            lora.save(&network.vs, ours.path()).unwrap();
            let before = tensors(folder.join(case).join("adapter_model.safetensors"));
            let [ours, theirs] = [ours.path().to_owned(), folder.join(case).join(optimizer)]
                .map(|folder| tensors(folder.join("adapter_model.safetensors")));
            let names = |tensors: &HashMap<String, Tensor>| {
                let mut names: Vec<String> = tensors.keys().cloned().collect();
                names.sort();
                names
            };
            assert_eq!(names(&ours), names(&theirs));
            for (name, theirs) in &theirs {
                assert_close(&ours[name], theirs, TOLERANCE, &format!("{case}, {optimizer}: {name}"));
                assert!((theirs - &before[name]).abs().max().double_value(&[]) > 1e-4, "{name} is trained");
            }
        }
    }
}

#[test]
fn peft_gives_our_outputs_with_our_adapters() {
    let Some(made) = made_in_python() else { return };
    // a folder of its own, as the tests run in parallel
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for file in ["base.safetensors", "batch.safetensors"] {
        std::fs::copy(made.join(file), folder.join(file)).unwrap();
    }
    let batch = tensors(folder.join("batch.safetensors"));
    let ours = |case: &str| folder.join("ours").join(case);
    let mut outputs = Vec::new();
    for case in CASES {
        let (mut network, lora) = adapted(made, case);
        train(&mut network, "adamw", &batch);
        lora.save(&network.vs, ours(case)).unwrap();
        lora.save_merged(&network.vs, ours(case).join("merged.safetensors")).unwrap();
        outputs.push(network.outputs(&batch["inputs"].flatten(0, 1)));
        // our own reader gives the same settings, whose layers are those of the file
        assert_eq!(lora::open(ours(case)).unwrap().lora(), lora, "{case}");
    }
    let Some(printed) = in_python("load", folder) else { return };
    let printed: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let both = ["attn.out", "attn.qkv"];
    let expected = serde_json::json!([
        ["plain", 4, 8, ["attn.qkv"], []],
        ["expression", 3, 5, both, []],
        ["head", 2, 3, both, ["head"]]
    ]);
    assert_eq!(Value::from(printed), expected);
    for (case, ours_of_case) in CASES.into_iter().zip(outputs) {
        let theirs = tensors(ours(case).join("outputs.safetensors"));
        assert_close(&ours_of_case, &theirs["adapted"], TOLERANCE, case);
        assert_close(&ours_of_case, &theirs["merged"], TOLERANCE, &format!("{case}, merged"));
    }
}

#[test]
fn names_of_python_are_renamed_both_ways() {
    let lora = Lora::new(2, "**.qkv").modules_to_save("head");
    let network = Network::new(Some(&lora));
    let _ = tch::no_grad(|| network.vs.variables()["attn.qkv.lora_B.weight"].shallow_clone().fill_(0.5));
    let folder = tempfile::tempdir().unwrap();
    lora.save_renamed(&network.vs, folder.path(), |name| format!("model.{}", name.replace("attn.", "attention.")))
        .unwrap();
    let mut names: Vec<String> = tensors(folder.path().join("adapter_model.safetensors")).into_keys().collect();
    names.sort();
    let expected = ["attention.qkv.lora_A.weight", "attention.qkv.lora_B.weight", "head.bias", "head.weight"];
    assert_eq!(names, expected.map(|name| format!("base_model.model.model.{name}")));

    let adapter = lora::open(folder.path()).unwrap();
    let adapter = adapter.rename([("model.attention.**", "attn.**"), ("model.**", "**")]);
    let mut other = Network::new(Some(&adapter.lora()));
    let loaded = adapter.load(&mut other.vs).unwrap();
    assert_eq!(loaded.taken, ["attn.qkv.lora_A.weight", "attn.qkv.lora_B.weight", "head.bias", "head.weight"]);
    for name in loaded.taken {
        assert_eq!(network.vs.variables()[&name], other.vs.variables()[&name], "{name}");
    }
}
