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

    fn on_val_epoch_end(&mut self) {}
}

fn main() {}
