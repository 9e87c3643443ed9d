//! What `predict_step` computes, as TorchScript.

use std::path::Path;

use tch::{CModule, IValue};
use tch_lightning::Error;
use tch_lightning::prelude::*;
use tch_lightning::torchscript::TorchScriptError;

use super::{config, inputs};

/// Features, labels and scales.
type Labelled = (Tensor, Tensor, Tensor);

#[derive(Batch)]
struct Prediction {
    scores: Tensor,
    largest: Tensor,
}

struct Scores {
    vs: nn::VarStore,
    layer: nn::Linear,
}

impl Scores {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 3, 4, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn scores(&self, features: &Tensor, scale: &Tensor) -> Tensor {
        self.layer.forward(features) * scale.unsqueeze(1)
    }
}

#[lightning_module]
impl Scores {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&self, ctx: &mut Context, batch: &Labelled, batch_idx: usize) -> Prediction {
        assert!(!is_training() && ctx.stage() == Stage::Predict && batch_idx == 0);
        let (features, _, scale) = batch;
        let scores = self.scores(features, scale);
        Prediction { largest: scores.argmax(1, false), scores }
    }
}

/// Reads the batch size, and returns no tensor.
struct Rows(nn::VarStore);

#[lightning_module]
impl Rows {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0
    }

    fn predict_step(&self, batch: &Tensor) -> std::time::Duration {
        std::time::Duration::from_secs(batch.size()[0] as u64)
    }
}

fn loader() -> DataLoader<Labelled> {
    let scale = Tensor::arange(6, (Kind::Float, Device::Cpu)) + 1;
    let label = Tensor::zeros([6], (Kind::Int64, Device::Cpu));
    DataLoader::new(TensorDataset::new((inputs(6), label, scale)).unwrap()).batch_size(4)
}

fn files_of(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn predict_step_is_traced_with_the_tensors_that_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.pt");
    let config = TrainerConfig { default_root_dir: folder.path().into(), ..config() };
    let mut model = Scores::new();
    Trainer::new(config).to_torchscript(&mut model, Loaders::evaluation(loader()), &path).unwrap();
    assert_eq!(files_of(folder.path()), ["scores.pt"]);

    let loaded = CModule::load(&path).unwrap();
    let (features, scale) = (inputs(5), Tensor::arange(5, (Kind::Float, Device::Cpu)).cos());
    let expected = model.scores(&features, &scale);
    let IValue::Tuple(outputs) = loaded.forward_is(&[features, scale].map(IValue::Tensor)).unwrap() else {
        panic!("not a tuple")
    };
    let outputs: Vec<Tensor> = outputs.into_iter().map(|output| output.try_into().unwrap()).collect();
    assert_eq!(outputs.len(), 2);
    assert!(outputs[0].allclose(&expected, 1e-5, 1e-6, false));
    assert_eq!(outputs[1], expected.argmax(1, false));
}

#[test]
fn file_in_a_missing_folder_is_an_error_that_names_it() {
    let error =
        Scores::trainer().to_torchscript(&mut Scores::new(), Loaders::evaluation(loader()), "no/such/folder.pt");
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "cannot write the traced module no/such/folder.pt: No such file or directory (os error 2)");
}

#[test]
fn predictions_without_known_tensors_name_their_type() {
    let loader = DataLoader::new(TensorDataset::new(inputs(4)).unwrap()).batch_size(2);
    let mut rows = Rows(nn::VarStore::new(Device::Cpu));
    let error = Rows::trainer().to_torchscript(&mut rows, Loaders::evaluation(loader), "rows.pt").unwrap_err();
    assert!(matches!(error, Error::TorchScript(TorchScriptError::NotTensors { .. })), "{error}");
    assert!(
        error.to_string().starts_with("`predict_step` returns `core::time::Duration`, in which no tensors are known: "),
        "{error}"
    );
}
