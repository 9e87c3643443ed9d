use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch.0.mse_loss(&batch.1, tch::Reduction::Mean)
    }

    fn validation_step(&mut self, batch: &Tensor) {
        println!("{batch:?}");
    }

    fn on_before_batch_transfer(&mut self, batch: Vec<Tensor>) -> Vec<Tensor> {
        batch
    }
}

fn main() {}
