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

    fn optimizer_step(&mut self, optimizer: &mut AdamW) {}

    fn lr_scheduler_step(&mut self, scheduler: &mut StepLr) {}

    fn on_save_checkpoint(&mut self, checkpoint: &mut std::collections::HashMap<String, Tensor>) {}
}

fn main() {}
