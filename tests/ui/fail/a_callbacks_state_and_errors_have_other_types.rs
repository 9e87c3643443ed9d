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
    fn on_exception(&mut self, exception: Box<dyn std::error::Error>) {}

    fn state_dict(&self) -> String {
        String::new()
    }

    fn load_state_dict(&mut self, state_dict: std::collections::HashMap<String, f64>) {}
}

struct Other;

#[lightning_callback]
impl Other {
    fn on_exception(&mut self, exception: &str) {}

    fn on_train_epoch_end() {}

    fn on_train_end<M: LightningModule, T>(&mut self, module: &mut M) {}
}

fn main() {}
