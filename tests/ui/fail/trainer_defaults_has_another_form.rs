use tch_lightning::prelude::*;

struct OfSelf {
    vs: nn::VarStore,
}

#[lightning_module]
impl OfSelf {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn trainer_defaults(&self) -> TrainerConfig {
        TrainerConfig::default()
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Failing {
    vs: nn::VarStore,
}

#[lightning_module]
impl Failing {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn trainer_defaults() -> Result<TrainerConfig> {
        Ok(TrainerConfig::default())
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
