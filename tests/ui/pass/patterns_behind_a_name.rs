//! A parameter that has a name may have a pattern too, and may be `mut`.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch @ (images, _): &(Tensor, Tensor), mut batch_idx: usize) -> Tensor {
        batch_idx += 1;
        images.mse_loss(&batch.1, tch::Reduction::Mean) / i64::try_from(batch_idx).unwrap_or(1)
    }

    fn on_before_batch_transfer(&mut self, mut batch: (Tensor, Tensor)) -> (Tensor, Tensor) {
        std::mem::swap(&mut batch.0, &mut batch.1);
        batch
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 2);
}
