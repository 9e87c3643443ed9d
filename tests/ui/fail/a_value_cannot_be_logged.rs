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
        ctx.log("mood", "good");
        ctx.log("text", String::new());
        ctx.log("done", true);
        ctx.log("perhaps", Some(1.0));
        ctx.log("several", [1.0, 2.0]);
        ctx.log_all([("mood", "good")]);
        batch.mean(None)
    }
}

fn main() {}
