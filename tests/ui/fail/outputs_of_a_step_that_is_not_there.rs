use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }

    fn on_validation_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }
}

struct Hidden {
    vs: nn::VarStore,
}

#[lightning_module]
impl Hidden {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, batch: &Tensor) -> impl Sized {
        batch.mean(None)
    }

    fn on_validation_batch_end(&mut self, outputs: &Tensor) {
        println!("{outputs}");
    }
}

fn main() {}
