use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor, batch_index: usize) -> Tensor {
        batch * batch_index as f64
    }

    fn on_train_epoch_ended(&mut self) {}

    fn on_train_batch_end(&mut self, outputs: &Tensor, batch: &Tensor) {
        println!("{outputs:?} of {batch:?}");
    }
}

fn main() {}
