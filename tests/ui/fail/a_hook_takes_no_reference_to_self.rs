use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_end(self) {}

    fn configure_optimizers() -> AdamW {
        AdamW::new(1e-3)
    }
}

fn main() {}
