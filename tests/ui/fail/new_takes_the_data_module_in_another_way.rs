use tch_lightning::prelude::*;

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

#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
struct Hparams {}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new(_: &mut Data, _: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
