use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct Printer;

#[lightning_callback]
impl Printer {
    fn on_train_start(&mut self, module: &mut Model) {
        println!("{}", module.vs.len());
    }

    fn on_train_batch_start(&mut self, batch: &(Tensor, Tensor)) {
        println!("{batch:?}");
    }
}

fn main() {}
