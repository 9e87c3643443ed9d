use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    #[not_a_hook]
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
