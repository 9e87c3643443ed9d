use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

impl LightningModule for Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() {}
