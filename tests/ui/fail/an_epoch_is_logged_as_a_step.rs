use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.log("epoch", 1.0).on_step(true);
    }
}

fn main() {}
