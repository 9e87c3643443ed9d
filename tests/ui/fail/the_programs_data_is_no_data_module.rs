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

impl tch_lightning::module::HasHparams for Data {
    type Hparams = tch_lightning::module::NoHparams;
}

impl tch_lightning::module::FromHparams for Data {
    fn from_hparams(_: tch_lightning::module::NoHparams) -> Result<Self> {
        Ok(Self)
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
