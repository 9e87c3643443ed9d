use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_train_batch_start(&mut self, batch_idx: usize, _batch_idx: usize) {
        println!("{batch_idx}");
    }
}

fn main() {}
