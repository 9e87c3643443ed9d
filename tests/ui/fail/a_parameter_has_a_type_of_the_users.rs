use tch_lightning::prelude::*;

type BatchNumber = i64;

#[derive(tch_lightning::data::Batch)]
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

    fn training_step(&mut self, batch: &Tensor, batch_idx: BatchNumber) -> Tensor {
        batch * batch_idx
    }

    fn on_train_batch_start(&mut self, batch: &Rows) {
        println!("{:?}", batch.input);
    }
}

fn main() {}
