//! Parameters are matched by name, whatever their order.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch_idx: usize, batch: &Tensor, ctx: &mut Context) -> Option<Tensor> {
        ctx.log("batch", batch_idx);
        Some(batch.mean(None))
    }

    fn validation_step(&mut self, batch_idx: usize, batch: &Tensor) {
        println!("{batch_idx}: {batch}");
    }

    fn on_validation_batch_end(&mut self, dataloader_idx: usize, ctx: &mut Context, batch: &Tensor, outputs: &()) {
        ctx.log("loader", dataloader_idx + batch.dim());
        println!("{outputs:?}");
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 3);
}
