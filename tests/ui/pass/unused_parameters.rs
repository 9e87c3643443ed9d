//! A `_` before a name tells the compiler that a parameter is not used; for the macro it does not count.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, _ctx: &mut Context, batch: &Tensor, _batch_idx: usize) -> Tensor {
        batch.mean(None)
    }

    fn backward(&mut self, _loss: &Tensor) {}
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 2);
}
