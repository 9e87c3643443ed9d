use tch_lightning::module::IntoOptimizer;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Box<dyn IntoOptimizer> {
        Box::new(AdamW::new(1e-3))
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

    fn configure_optimizers(&self) -> Result<Vec<Box<dyn IntoOptimizer>>> {
        Ok(vec![Box::new(AdamW::new(1e-3)), Box::new(Sgd::new(1e-3))])
    }
}

fn main() {}
