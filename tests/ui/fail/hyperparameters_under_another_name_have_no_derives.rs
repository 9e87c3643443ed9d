use tch_lightning::prelude::*;

struct Hparams {
    lr: f64,
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new(config: Hparams) -> Self {
        println!("a learning rate of {}", config.lr);
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
