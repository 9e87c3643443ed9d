use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn before_fit(&mut self) {}

    fn after_batch(&mut self) {}

    fn on_step_begin(&mut self) {}
}

fn main() {}
