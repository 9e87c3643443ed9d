use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self, ctx: &mut Context) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
