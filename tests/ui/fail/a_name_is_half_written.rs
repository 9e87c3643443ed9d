use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, batch: &Tensor) {
        println!("{}", batch.mean(None));
    }

    fn on_val
}

fn main() {}
