//! A method that `training_step` calls takes the same `ctx`, also to run a backward pass and to step.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module(automatic_optimization = false)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<()> {
        let loss = self.layer.forward(batch).square().mean(Kind::Float);
        self.update(&loss, ctx)?;
        self.report(ctx, &loss);
        Ok(())
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }

    fn update(&mut self, loss: &Tensor, ctx: &mut Context) -> Result<()> {
        ctx.optimizer(0).zero_grad()?;
        ctx.manual_backward(self, loss)?;
        ctx.manual_step(self, 0)?;
        Ok(())
    }

    fn report(&self, ctx: &mut Context, loss: &Tensor) {
        ctx.log("loss", loss);
        ctx.log("weights", self.layer.ws.norm());
    }
}

fn main() {}
