use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

#[derive(Serialize, Deserialize)]
struct Hparams {
    lr: f64,
}

struct Model {
    vs: nn::VarStore,
    hparams: Hparams,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))?))
    }
}

fn main() -> ExitCode {
    Model::main()
}
