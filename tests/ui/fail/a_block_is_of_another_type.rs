use tch_lightning::prelude::*;

trait Network {}

#[lightning_module]
impl dyn Network {
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

#[lightning_module]
impl (Tensor, Tensor) {
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

#[lightning_callback]
impl &mut Tensor {
    fn on_fit_start(&mut self) {}
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl<T> Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() {}
