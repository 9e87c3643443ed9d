use tch_lightning::prelude::*;

struct Lines;

impl Dataset for Lines {
    type Sample = Tensor;

    fn len(&self) -> usize {
        10
    }

    fn get_item(&self, index: usize) -> Result<Tensor> {
        Ok(Tensor::from(index as i64))
    }
}

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

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&self) -> Result<DataLoader<Lines>> {
        Ok(DataLoader::new(Lines).batch_size(2))
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(Lines).batch_size(2))
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
