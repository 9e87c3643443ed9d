//! A hook asks for the parameters that it needs, and for no others.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self) -> Option<Tensor> {
        None
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor, batch_idx: usize, dataloader_idx: usize) {
        ctx.log("place", batch_idx + dataloader_idx + batch.dim());
    }

    fn test_step(&mut self, dataloader_idx: usize) -> usize {
        dataloader_idx
    }

    fn predict_step(&mut self, batch: &Tensor) -> Tensor {
        batch.shallow_clone()
    }

    fn on_train_batch_end(&mut self, outputs: &Option<Tensor>) {
        assert!(outputs.is_none());
    }

    fn on_test_batch_end(&mut self, outputs: &usize, batch_idx: usize) {
        println!("{outputs} of batch {batch_idx}");
    }

    fn optimizer_zero_grad(&mut self, epoch: usize) {
        println!("{epoch}");
    }
}

#[test]
fn hooks_are_found() {
    let hooks = [
        Hook::TrainingStep,
        Hook::ValidationStep,
        Hook::TestStep,
        Hook::PredictStep,
        Hook::OptimizerZeroGrad,
        Hook::OnTrainBatchEnd,
        Hook::OnTestBatchEnd,
    ];
    assert_eq!(Model::hooks(), hooks);
}
