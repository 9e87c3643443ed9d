//! A hook takes `self` by either reference, in each way to write it.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    batches: usize,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_train_batch_start(&mut self) {
        self.batches += 1;
    }

    fn on_train_start(self: &Self) {
        assert_eq!(self.batches, 0);
    }

    fn on_train_end(self: &mut Self) {
        self.batches = 0;
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 4);
}
