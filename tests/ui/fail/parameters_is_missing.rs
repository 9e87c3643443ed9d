use tch_lightning::prelude::*;

struct Model {
    weight: Tensor,
}

#[lightning_module]
impl Model {
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        (batch * &self.weight).mean(None)
    }
}

fn main() {}
