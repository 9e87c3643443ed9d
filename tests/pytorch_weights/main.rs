//! Weights to PyTorch and from it, asked of PyTorch itself.
#![allow(missing_docs)]

use serde_json::{Value, json};
use std::path::Path;
use tch_lightning::checkpoint::weights;
use tch_lightning::prelude::*;
use tests::python;
use tests::tensors::{assert_close, tensors};

/// The network of network.py.
struct Network {
    vs: nn::VarStore,
    layers: nn::SequentialT,
}

impl Network {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let root = vs.root();
        let layers = nn::seq_t()
            .add(nn::conv2d(&root / "0", 1, 4, 3, nn::ConvConfig::default()))
            .add(nn::batch_norm2d(&root / "1", 4, nn::BatchNormConfig::default()))
            .add_fn(|x| x.relu().flatten(1, -1))
            .add(nn::linear(&root / "4", 4 * 4 * 4, 3, nn::LinearConfig::default()));
        Self { vs, layers }
    }

    /// One that has seen some batches.
    fn trained() -> Self {
        tch::manual_seed(4);
        let network = Self::new();
        for _ in 0..3 {
            let _ = network.layers.forward_t(&(images() * 2 - 1), true);
        }
        network
    }

    fn outputs(&self, images: &Tensor) -> Tensor {
        tch::no_grad(|| self.layers.forward_t(images, false))
    }
}

/// Returns what network.py prints; `None` where there is no Python to run it.
fn in_python(verb: &str, path: &Path) -> Option<String> {
    python::run("pytorch_weights/network.py", [verb.as_ref(), path.as_os_str()])
}

fn images() -> Tensor {
    Tensor::randn([5, 1, 6, 6], (Kind::Float, Device::Cpu))
}

#[test]
fn python_reads_our_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let mut checkpoint = Checkpoint::default();
    let mut insert = |name: &str, tensor: Tensor| checkpoint.tensors.insert(name.to_owned(), tensor);
    insert("module.weight", Tensor::from_slice2(&[[0.1f32, -2.0, 3e30], [1e-40, 0.0, 7.0]]).tr());
    insert("module.half", Tensor::from_slice(&[0.5f32, 65504.0]).to_kind(Kind::Half));
    insert("module.bfloat16", Tensor::from_slice(&[3.0f32, 0.25]).to_kind(Kind::BFloat16));
    insert("module.flags", Tensor::from_slice(&[true, false]));
    insert("module.größe", Tensor::zeros([2, 0], (Kind::Uint8, Device::Cpu)));
    insert("optimizer.0.weight.step", Tensor::from(-3i64));
    checkpoint.write(&path).unwrap();

    let Some(printed) = in_python("values", &path) else { return };
    assert_eq!(
        serde_json::from_str::<Value>(&printed).unwrap(),
        json!({
            "module.weight": ["torch.float32", [3, 2], [0.1f32 as f64, 1e-40f32 as f64, -2.0, 0.0, 3e30f32 as f64, 7.0]],
            "module.half": ["torch.float16", [2], [0.5, 65504.0]],
            "module.bfloat16": ["torch.bfloat16", [2], [3.0, 0.25]],
            "module.flags": ["torch.bool", [2], [1.0, 0.0]],
            "module.größe": ["torch.uint8", [2, 0], []],
            "optimizer.0.weight.step": ["torch.int64", [], [-3.0]],
        })
    );
}

#[test]
fn weights_of_pytorch_give_its_outputs() {
    let folder = tempfile::tempdir().unwrap();
    if in_python("save", folder.path()).is_none() {
        return;
    }
    let mut network = Network::new();
    weights::load(&mut network.vs, folder.path().join("model.safetensors")).unwrap();
    let batch = tensors(folder.path().join("batch.safetensors"));
    assert_close(&network.outputs(&batch["images"]), &batch["outputs"], 1e-6, "outputs");

    for name in ["zip.ckpt", "pickle.ckpt", "sharded", "sharded/model.safetensors.index.json"] {
        let mut network = Network::new();
        weights::load(&mut network.vs, folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_close(&network.outputs(&batch["images"]), &batch["outputs"], 1e-6, "outputs");
    }
}

#[test]
fn weights_of_parts_and_of_other_names_give_the_outputs_of_pytorch() {
    let folder = tempfile::tempdir().unwrap();
    if in_python("save", folder.path()).is_none() {
        return;
    }
    let path = |name: &str| folder.path().join(name);
    let batch = tensors(path("batch.safetensors"));
    let assert_loaded =
        |network: &Network| assert_close(&network.outputs(&batch["images"]), &batch["outputs"], 1e-6, "outputs");

    let mut network = Network::new();
    let opened = weights::open(path("lightning.ckpt")).unwrap();
    assert_eq!(opened.shapes()["model.4.weight"], [3, 64]);
    assert_eq!(opened.shapes().len(), 9, "the state_dict alone, with num_batches_tracked");
    let loaded = opened.rename([("model.**", "**")]).load(&mut network.vs).unwrap();
    assert_eq!(loaded.to_string(), "8 tensors loaded");
    assert_loaded(&network);

    let mut network = Network::new();
    weights::open(path("ema.pth")).unwrap().under("ema").load(&mut network.vs).unwrap();
    assert_loaded(&network);

    let mut network = Network::new();
    let opened = || weights::open(path("other.safetensors")).unwrap();
    let table = [("classifier.*", "4.*"), ("features.*.gamma", "*.weight"), ("features.**", "**")];
    let said = opened().rename(table).transpose("4.weight").load(&mut network.vs).unwrap_err().to_string();
    let expected =
        format!("the checkpoint {} does not fit the module: unexpected: extra", path("other.safetensors").display());
    assert_eq!(said, expected);
    let loaded = opened().rename(table).transpose("4.weight").strict(false).load(&mut network.vs).unwrap();
    assert_eq!(loaded.to_string(), "8 tensors loaded; unexpected: extra");
    assert_loaded(&network);

    // the first layers alone: nothing else is read or changed
    let mut network = Network::new();
    let before = network.vs.variables()["4.weight"].copy();
    let loaded = opened().rename(table).only("{0,1}.**").load(&mut network.vs).unwrap();
    let taken = ["0.bias", "0.weight", "1.bias", "1.running_mean", "1.running_var", "1.weight"];
    assert_eq!(loaded.taken, taken);
    assert_eq!(network.vs.variables()["4.weight"], before);
    assert_eq!(network.vs.variables()["1.weight"].kind(), Kind::Float, "converted from f64");

    // what does not fit is listed, and left as it is
    let loaded = opened().rename([("features.**", "**")]).strict(false).load(&mut network.vs).unwrap();
    assert_eq!(loaded.mismatch.missing, ["1.weight", "4.bias", "4.weight"]);
    assert_eq!(loaded.mismatch.unexpected, ["1.gamma", "classifier.bias", "classifier.weight", "extra"]);
    let loaded = opened().rename(table).strict(false).load(&mut network.vs).unwrap();
    let misshaped = &loaded.mismatch.misshaped[0];
    assert_eq!((misshaped.name.as_str(), &*misshaped.found), ("4.weight", &[64, 3][..]));
}

#[test]
fn pytorch_gives_our_outputs_with_our_weights() {
    let folder = tempfile::tempdir().unwrap();
    let [model, images_path] = ["model.safetensors", "images.safetensors"].map(|name| folder.path().join(name));
    let network = Network::trained();
    let images = images();
    Tensor::write_safetensors(&[("images", &images)], &images_path).unwrap();
    weights::save(&network.vs, &model).unwrap();
    if in_python("load", folder.path()).is_none() {
        return;
    }
    let outputs = tensors(folder.path().join("outputs.safetensors"));
    assert_close(&network.outputs(&images), &outputs["outputs"], 1e-6, "outputs");

    // what a checkpoint exports is the same file
    let mut checkpoint = Checkpoint::default();
    let named = network.vs.variables().into_iter().map(|(name, tensor)| (format!("module.{name}"), tensor));
    checkpoint.tensors.extend(named);
    let exported = folder.path().join("exported.safetensors");
    checkpoint.export_weights(&exported).unwrap();
    assert_eq!(std::fs::read(exported).unwrap(), std::fs::read(model).unwrap());
}

#[lightning_module]
impl Network {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&self, batch: &(Tensor, Tensor)) -> (Tensor, Tensor) {
        let (images, _labels) = batch;
        let scores = self.layers.forward_t(images, is_training());
        (scores.shallow_clone(), scores.argmax(1, false))
    }
}

#[test]
fn python_uses_a_traced_module_as_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = Network::trained();
    let images = images();
    Tensor::write_safetensors(&[("images", &images)], folder.path().join("images.safetensors")).unwrap();
    let samples = (images.narrow(0, 0, 3), Tensor::zeros([3], (Kind::Int64, Device::Cpu)));
    let loader = DataLoader::new(TensorDataset::new(samples).unwrap()).batch_size(3);
    let mut trainer = Network::trainer();
    trainer.to_torchscript(&mut network, Loaders::evaluation(loader), folder.path().join("model.pt")).unwrap();
    if in_python("script", folder.path()).is_none() {
        return;
    }
    let outputs = tensors(folder.path().join("outputs.safetensors"));
    assert_close(&network.outputs(&images), &outputs["outputs"], 1e-6, "outputs");
}
