use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false, automatic_optimization = true)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[not_a_hook(it_is_ours)]
    fn on_my_own(&self) {}

    #[not_a_hook = "it is ours"]
    fn train_step(&self) {}
}

fn main() {}
