use tch_lightning::prelude::*;

trait Reports {
    fn on_train_epoch_end(&mut self, ctx: &mut Context);
}

struct Model {
    vs: nn::VarStore,
}

impl Reports for Model {
    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.print("epoch");
    }
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

fn main() {}
