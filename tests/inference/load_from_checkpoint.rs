//! `load_from_checkpoint`: what the loaded module computes, with and without a data module.

use crate::model::{Hparams, Model, inputs, quiet, trained};
use clap::Args;
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

#[test]
fn load_from_checkpoint_predicts_as_the_trained_model() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, path) = trained(folder.path());
    let loaded = Model::load_from_checkpoint(&path).unwrap();
    assert_eq!((loaded.hparams.width, loaded.hparams.dropout), (5, 0.25));
    assert_eq!(loaded.forward(&inputs()), model.forward(&inputs()));
    let predicted = Trainer::new(quiet()).predict(&mut model, ()).unwrap();
    assert_eq!(loaded.forward(&inputs()), predicted[0]);
    let changed = Model::load_from_checkpoint_with(&path, |hparams| hparams.dropout = 0.0).unwrap();
    assert_eq!((changed.hparams.width, changed.hparams.dropout), (5, 0.0));
    assert_eq!(changed.forward(&inputs()), predicted[0]);
}

#[test]
fn load_from_checkpoint_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = trained(folder.path());
    let failed = |outcome: Result<Model, tch_lightning::Error>| {
        let text = outcome.err().expect("it fails").to_string();
        assert!(text.contains("model.ckpt") || text.contains("none.ckpt"), "{text}");
        text
    };
    let other = failed(Model::load_from_checkpoint_with(&path, |hparams| hparams.width = 7));
    let cause = "hyperparameters differ: `width` was 5 in the checkpoint and is 7 now";
    assert!(other.contains("hidden.weight") && other.ends_with(cause), "{other}");
    let refused = failed(Model::load_from_checkpoint_with(&path, |hparams| hparams.width = 0));
    assert!(
        refused.contains("cannot construct the model from the hyperparameters in") && refused.contains("a width of 0")
    );
    failed(Model::load_from_checkpoint(folder.path().join("none.ckpt")));
}

#[derive(Args, Serialize, Deserialize)]
struct TextHparams {
    /// The size of the alphabet
    #[arg(long, default_value_t = 3)]
    letters: i64,
}

struct Text {
    letters: i64,
}

#[lightning_datamodule]
impl Text {
    fn new(hparams: TextHparams) -> Self {
        Self { letters: hparams.letters }
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }
}

struct Letters {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Letters {
    fn new(_hparams: &Hparams, data: &Text) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, data.letters, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

#[test]
fn load_from_checkpoint_with_data_makes_the_data_module_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sized.ckpt");
    let mut text = Text { letters: 11 };
    let mut model = Letters::new(&Hparams { width: 1, dropout: 0.0 }, &text);
    let hyper_parameters = serde_json::json!({ "model": { "width": 1 }, "data": { "letters": 11 } });
    let mut trainer = Trainer::new(quiet()).hyper_parameters(hyper_parameters);
    trainer.fit(&mut model, &mut text).unwrap();
    trainer.save_checkpoint(&mut model, &mut text, &path).unwrap();
    let (loaded, data) = Letters::load_from_checkpoint_with_data::<Text>(&path).unwrap();
    assert_eq!(data.letters, 11);
    assert_eq!(loaded.layer.ws, model.layer.ws);
}
