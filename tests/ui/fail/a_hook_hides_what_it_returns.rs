use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&mut self) -> impl Send {
        "a cat"
    }

    fn configure_optimizers(&mut self) -> impl Into<Optimizers> {
        AdamW::new(1e-3)
    }
}

fn main() {}
