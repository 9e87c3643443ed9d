use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, bacth: &Tensor) -> Tensor {
        bacth.mean(None)
    }

    fn on_train_batch_start(&mut self, index: usize) {
        println!("batch {index}");
    }
}

fn main() {}
