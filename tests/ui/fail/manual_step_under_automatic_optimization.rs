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
        let loss = self.net.forward(batch).mean(None);
        ctx.manual_step(self, 0)?;
        Ok(loss)
    }
}

fn main() {}
