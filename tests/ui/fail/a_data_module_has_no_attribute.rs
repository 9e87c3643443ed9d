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
}

struct Data;

impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

struct WithoutConstructor {
    folder: String,
}

#[lightning_datamodule]
impl WithoutConstructor {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data in {}", self.folder)
    }
}

struct Pairs;

#[lightning_datamodule]
impl Pairs {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        bail!("no data")
    }
}

fn program() -> ExitCode {
    let _ = Model::program::<Data>();
    let _ = Model::main::<WithoutConstructor>();
    let _ = Model::main::<Pairs>();
    Model::main::<&Data>()
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
