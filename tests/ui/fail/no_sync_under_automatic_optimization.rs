use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let loss = ctx.no_sync(|_| self.net.forward(batch).mean(None));
        Ok(loss)
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) {
        ctx.no_sync(|_| ());
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() {}
