use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn predict_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0]))?))
    }
}

fn main() -> ExitCode {
    Model::main()
}
