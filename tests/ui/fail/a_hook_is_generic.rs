use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step<B: Batch>(&mut self, batch: &B) -> Option<Tensor> {
        let _ = batch.batch_size();
        None
    }

    fn validation_step(&mut self, batch: &impl Batch) {
        let _ = batch.batch_size();
    }

    fn on_before_backward(&mut self, loss: &impl std::fmt::Debug) {
        println!("{loss:?}");
    }
}

fn main() {}
