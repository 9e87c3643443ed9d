//! Hooks that the module and its data module both define.

use tch_lightning::prelude::*;
use tests::faults::config;
use tests::warnings::warnings;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_before_batch_transfer(&mut self, batch: Tensor) -> Tensor {
        batch
    }

    fn on_after_batch_transfer(&mut self, _batch: Tensor) -> Result<Tensor> {
        bail!("that of the data module is called")
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 2], (Kind::Float, Device::Cpu)))?))
    }

    fn on_after_batch_transfer(&mut self, batch: Tensor) -> Tensor {
        batch
    }
}

#[test]
fn transfer_hook_of_both_is_warned_of() {
    let vs = nn::VarStore::new(Device::Cpu);
    let layer = nn::linear(vs.root(), 2, 1, nn::LinearConfig::default());
    let mut model = Model { vs, layer };
    let warning = "the module and the data module both define `on_after_batch_transfer`: that of the data module is called, and the \
                   module's is not";
    assert_eq!(warnings(|| Trainer::new(config()).fit(&mut model, &mut Data).unwrap()), [warning]);
}
