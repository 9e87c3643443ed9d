use tch_lightning::prelude::*;

struct Letters;

#[lightning_datamodule]
impl Letters {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

struct Words;

#[lightning_datamodule]
impl Words {
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
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new(_: Hparams, _: &Letters) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() -> ExitCode {
    Model::main::<Words>()
}
