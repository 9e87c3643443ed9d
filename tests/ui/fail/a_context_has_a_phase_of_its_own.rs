use tch_lightning::context::phase::Epoch;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context<Epoch>, batch: &Tensor) -> Tensor {
        ctx.print("a step");
        batch.mean(None)
    }
}

fn main() {}
