use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Clone for Model {
    fn clone(&self) -> Self {
        Self { vs: nn::VarStore::new(self.vs.device()) }
    }
}

fn main() {}
