use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { accelerator: "gpu", precision: "16-mixed", profiler: "simple", ..TrainerConfig::default() }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
