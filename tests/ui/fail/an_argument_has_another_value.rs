use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module(automatic_optimization = 0)]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

struct Other {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization, precision = "bf16-mixed")]
impl Other {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

fn main() {}
