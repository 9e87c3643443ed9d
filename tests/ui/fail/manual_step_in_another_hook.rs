use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let loss = self.net.forward(batch).mean(None);
        ctx.manual_backward(self, &loss)?;
        self.finish(ctx)
    }

    fn finish(&mut self, ctx: &mut Context) -> Result<()> {
        ctx.manual_step(self, 0)?;
        Ok(())
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context) -> Result<()> {
        ctx.manual_step(self, 0)?;
        Ok(())
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() {}
