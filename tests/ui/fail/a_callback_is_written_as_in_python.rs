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
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self, module: Model) {}

    fn on_fit_end(&mut self, module: &mut Self) {}

    fn on_train_batch_end(&mut self, outputs: Tensor, module: &mut Model) {}

    fn on_test_batch_end(&mut self, outputs: &std::collections::HashMap<String, Tensor>, module: &mut Model) {}

    fn on_train_epoch_end(&mut self) -> bool {
        true
    }
}

fn main() {}
