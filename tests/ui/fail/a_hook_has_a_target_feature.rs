use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    #[cfg_attr(target_arch = "x86_64", inline)]
    #[target_feature(enable = "avx2")]
    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() {}
