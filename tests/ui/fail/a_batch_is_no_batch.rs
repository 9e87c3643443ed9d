use tch_lightning::prelude::*;

struct Rows {
    input: Tensor,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        batch.input.mean(None)
    }

    fn on_train_batch_end(&mut self, batch: &Rows) {
        println!("{:?}", batch.input);
    }
}

fn main() {}
