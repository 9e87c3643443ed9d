use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(batch = Tensor)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
