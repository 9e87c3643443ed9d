use tch_lightning::prelude::*;

struct Built {
    vs: nn::VarStore,
}

#[lightning_module]
impl Built {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> Result<nn::Optimizer> {
        Ok(nn::Adam::default().build(&self.vs, 1e-3)?)
    }
}

struct Chosen {
    vs: nn::VarStore,
}

#[lightning_module]
impl Chosen {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> tch::nn::AdamW {
        nn::AdamW::default()
    }
}

fn main() {}
