use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

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

fn run() {
    let mut trainer = Model::trainer();
    let _ = Model::hooks();
    let _ = Model::new().parameters();
}

fn main() -> ExitCode {
    Model::main::<()>()
}
