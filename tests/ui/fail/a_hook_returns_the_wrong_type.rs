use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_epoch_end(&mut self) -> bool {
        true
    }

    fn configure_optimizers(&mut self) -> Result<f64> {
        Ok(1e-3)
    }

    fn on_train_batch_start(&mut self) -> i32 {
        -1
    }
}

fn main() {}
