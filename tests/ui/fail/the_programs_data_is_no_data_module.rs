use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct Data;

impl tch_lightning::HasHparams for Data {
    type Hparams = tch_lightning::NoHparams;
}

impl tch_lightning::FromHparams for Data {
    fn from_hparams(_: tch_lightning::NoHparams) -> Result<Self> {
        Ok(Self)
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
