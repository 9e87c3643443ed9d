use tch_lightning::prelude::*;

struct Context {
    fits: usize,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_after_backward(&mut self, ctx: &mut Context) {
        ctx.fits += 1;
    }
}

fn main() {}
