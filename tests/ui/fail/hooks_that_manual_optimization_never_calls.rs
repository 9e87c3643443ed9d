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
        Ok(ctx.manual_step(self, 0)?)
    }

    fn optimizer_step(&mut self, ctx: &mut Context, optimizer: OptimizerIndex) -> Result<()> {
        Ok(ctx.optimizer(optimizer).step()?)
    }

    fn optimizer_zero_grad(&mut self) {}

    fn on_before_zero_grad(&mut self) {}

    fn configure_gradient_clipping(&mut self) {}
}

fn main() {}
