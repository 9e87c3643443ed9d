//! Checkpoints without frozen parameters, which are loaded into modules that have the same values for them.

use crate::model::config;
use std::path::{Path, PathBuf};
use tch_lightning::callbacks::{BackboneFinetuning, ModelCheckpoint};
use tch_lightning::checkpoint::weights;
use tch_lightning::prelude::*;

/// A frozen layer, whose weights are those of a file of pretrained ones, and a trained one.
struct Transfer {
    vs: nn::VarStore,
    backbone: nn::Linear,
    head: nn::Linear,
}

impl Transfer {
    fn new(pretrained: f64) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        tch::manual_seed(1);
        let linear = |name: &str| nn::linear(vs.root() / name, 2, 2, nn::LinearConfig::default());
        let (mut backbone, head) = (linear("backbone"), linear("head"));
        tch::no_grad(|| drop(backbone.ws.fill_(pretrained)));
        for parameter in [Some(&backbone.ws), backbone.bs.as_ref()].into_iter().flatten() {
            let _ = parameter.set_requires_grad(false);
        }
        Self { vs, backbone, head }
    }

    fn weights(&self) -> Vec<f64> {
        let mut variables: Vec<(String, Tensor)> = self.vs.variables().into_iter().collect();
        variables.sort_by(|one, other| one.0.cmp(&other.0));
        let values = variables.iter().flat_map(|(_, tensor)| {
            Vec::<f64>::try_from(tensor.detach().flatten(0, -1).to_kind(Kind::Double)).unwrap()
        });
        values.collect()
    }
}

#[lightning_module]
impl Transfer {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.head.forward(&self.backbone.forward(batch)).square().mean(Kind::Float)
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let samples = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([4, 2]);
        Ok(DataLoader::new(TensorDataset::new(samples)?).batch_size(2))
    }
}

fn trainer(epochs: i64, folder: &Path) -> Trainer<Transfer> {
    let checkpoint = ModelCheckpoint::new().dirpath(folder).filename("{epoch}").save_top_k(-1).save_frozen(false);
    Trainer::new(config(epochs)).callback(checkpoint)
}

/// The checkpoint of the first of two epochs, and the weights after the second.
fn saved(folder: &Path) -> (PathBuf, Vec<f64>) {
    let mut module = Transfer::new(0.5);
    trainer(2, folder).fit(&mut module, ()).unwrap();
    (folder.join("epoch=0.ckpt"), module.weights())
}

#[test]
fn run_resumes_with_the_same_frozen_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let (path, expected) = saved(folder.path());
    let checkpoint = Checkpoint::read(&path).unwrap();
    let names: Vec<&String> = checkpoint.tensors.keys().filter(|name| name.starts_with("module.")).collect();
    assert_eq!(names, ["module.head.bias", "module.head.weight"]);
    assert_eq!(checkpoint.metadata.frozen.as_ref().unwrap().parameters, ["backbone.bias", "backbone.weight"]);

    let resumed = tempfile::tempdir().unwrap();
    let mut module = Transfer::new(0.5);
    trainer(2, resumed.path()).ckpt_path(&path).fit(&mut module, ()).unwrap();
    assert_eq!(module.weights(), expected);
}

#[test]
fn other_frozen_parameters_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = saved(folder.path());
    let mut module = Transfer::new(0.25);
    let before = module.weights();
    let refused = trainer(2, folder.path()).ckpt_path(&path).fit(&mut module, ()).unwrap_err().to_string();
    let names = "backbone.bias, backbone.weight";
    assert_eq!(
        refused,
        format!(
            "the checkpoint {} does not contain the frozen parameters of its run, and the module has other values for them: construct \
             the module with the same pretrained weights; they are {names}",
            path.display()
        )
    );
    assert_eq!(module.weights(), before);

    let checkpoint = Checkpoint::read(&path).unwrap();
    let exported = folder.path().join("exported");
    let expected = format!(
        "the checkpoint does not contain the frozen parameters of its run, so that it cannot be exported: load it into the module, and \
         write its weights by `weights::save`; they are {names}"
    );
    assert_eq!(checkpoint.export_weights(&exported).unwrap_err().to_string(), expected);
    assert_eq!(checkpoint.export_lightning(&exported).unwrap_err().to_string(), expected);
    assert!(!exported.exists());
    let missing = weights::load(&mut module.vs, &path).unwrap_err().to_string();
    assert!(missing.ends_with(" does not fit the module: missing: backbone.bias, backbone.weight"), "{missing}");
}

#[test]
fn parameters_that_were_trained_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let finetuning = BackboneFinetuning::default().unfreeze_backbone_at_epoch(1);
    let mut module = Transfer::new(0.5);
    trainer(3, folder.path()).callback(finetuning).fit(&mut module, ()).unwrap();
    let frozen = |epoch: usize| {
        let checkpoint = Checkpoint::read(&folder.path().join(format!("epoch={epoch}.ckpt"))).unwrap();
        (checkpoint.metadata.frozen.is_some(), checkpoint.tensors.contains_key("module.backbone.weight"))
    };
    assert_eq!([0, 1, 2].map(frozen), [(true, false), (false, true), (false, true)]);
    let resumed = tempfile::tempdir().unwrap();
    for epoch in [0, 1] {
        let finetuning = BackboneFinetuning::default().unfreeze_backbone_at_epoch(1);
        let mut other = Transfer::new(0.5);
        let path = folder.path().join(format!("epoch={epoch}.ckpt"));
        trainer(3, resumed.path()).callback(finetuning).ckpt_path(&path).fit(&mut other, ()).unwrap();
        assert_eq!(other.weights(), module.weights(), "{epoch}");
    }
}
