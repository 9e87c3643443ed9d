use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.log("train_loss", &loss);
        loss
    }

    fn on_train_epoch_end(&mut self, ctx: &Context) {
        println!("{}", ctx.current_epoch());
    }
}

fn main() {}
