use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> (AdamW, ReduceLrOnPlateau) {
        (AdamW::new(1e-3), ReduceLrOnPlateau::default())
    }
}

struct Several {
    vs: nn::VarStore,
}

#[lightning_module]
impl Several {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Result<Vec<(Sgd, ReduceLrOnPlateau)>> {
        Ok(vec![(Sgd::new(1e-3), ReduceLrOnPlateau::default())])
    }
}

fn main() {}
