use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self, ctx: &mut Context<tch_lightning::context::phase::Step>) {
        ctx.log("parameters", 1.0);
    }
}

fn main() {}
