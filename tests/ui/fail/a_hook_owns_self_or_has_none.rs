#![allow(unused_mut, unused_variables)]

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

    fn on_fit_start(mut self) {}

    fn on_fit_end(self: Box<Self>) {}

    fn on_train_start(self: std::rc::Rc<Self>) {}

    fn on_train_end<const N: usize>(&mut self) {}

    fn on_validation_start() {}

    fn validation_step(&mut self, batch: &Tensor) {}
}

fn main() {}
