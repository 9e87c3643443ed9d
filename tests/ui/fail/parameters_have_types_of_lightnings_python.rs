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

    fn training_step(&mut self, mut ctx: Context, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn validation_step(&mut self, ctx: &mut Trainer<Self>, batch: &Tensor) {}

    fn test_step(&mut self, batch: &Tensor, batch_idx: &usize) {}

    fn predict_step(&mut self, batch: &Tensor, dataloader_index: usize) -> Tensor {
        batch * 2
    }

    fn on_after_backward(&mut self, loss: &Tensor) {}

    fn configure_gradient_clipping(&mut self, optimizer: OptimizerIndex, gradient_clip_val: f64) {}

    fn setup(&mut self, stage: Option<Stage>) {}
}

fn main() {}
