use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step<'a>(&'a mut self, batch: &'a Tensor) -> &'a Tensor {
        batch
    }

    fn validation_step(&mut self) -> Result<&Tensor> {
        bail!("nothing to look at")
    }
}

fn main() {}
