use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_validation_epoch_end(&mut self)

    fn validation_step(&mut self, batch: &Tensor) {
        println!("{}", batch.mean(None));
    }
}

fn main() {}
