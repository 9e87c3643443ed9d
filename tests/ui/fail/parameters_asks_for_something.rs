use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self, ctx: &mut Context) -> &mut nn::VarStore {
        println!("{}", ctx.global_step());
        &mut self.vs
    }
}

fn main() {}
