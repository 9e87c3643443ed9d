use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.log(&loss, "loss");
        ctx.log(1.0, "one");
        ctx.log("shape", batch.size());
        ctx.log("pair", (&loss, 1.0));
        ctx.log("letter", 'a');
        ctx.log("max", &loss).reduce_fx("max");
        loss
    }
}

fn main() {}
