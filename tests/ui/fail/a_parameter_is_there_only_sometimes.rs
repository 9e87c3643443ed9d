use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, #[cfg(unix)] batch: &Tensor, batch_idx: usize) -> Tensor {
        batch * batch_idx as f64
    }
}

fn main() {}
