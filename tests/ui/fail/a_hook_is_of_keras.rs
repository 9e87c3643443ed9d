use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn train_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_epoch_begin(&mut self) {}

    fn on_train_batch_begin(&mut self) {}
}

fn main() {}
