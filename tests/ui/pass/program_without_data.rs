//! The program of a module with loaders of its own.

use tch_lightning::module::NoDataModule;
use tch_lightning::prelude::*;

struct Model(nn::VarStore);

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self(nn::VarStore::new(Device::Cpu))
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0
    }

    fn predict_step(&self, batch: &Tensor) -> Tensor {
        batch * 2.0
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0, 2.0]))?))
    }
}

/// The choice is derived by the prelude alone, but for serde.
#[derive(Clone, Choice, serde::Serialize, serde::Deserialize)]
#[serde(tag = "name")]
enum Activation {
    Relu,
    Gelu,
}

fn main() {
    let program = Model::program::<()>().callback(LearningRateMonitor::new()).arguments(["model", "doctor"]);
    let other = Model::program::<NoDataModule<_>>().arguments(["model", "doctor"]);
    let main: [fn() -> ExitCode; 2] = [Model::main, Model::main::<NoDataModule<_>>];
    drop((program, other, main, [Activation::Relu, Activation::Gelu]));
}
