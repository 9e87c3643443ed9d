use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

/// Only for hooks in which values can be logged.
fn note(ctx: &mut Context<impl Logs>) {
    ctx.log("note", 1.0);
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self, ctx: &mut Context) {
        note(ctx);
    }

    fn forward(&self, ctx: &mut Context) {
        note(ctx);
    }
}

fn main() {}
