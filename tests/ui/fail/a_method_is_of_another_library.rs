use tch_lightning::callbacks::{EarlyStopping, ModelCheckpoint};
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.optimizer(0).backward_step(&loss);
        loss
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() {
    let mut model = Model::new();
    model.compile("adam", "mse");
    model.summary();
    let _ = TrainerConfig::default().epochs(5);
    let _ = TrainerConfig::default().gpus(1);
    let _ = ModelCheckpoint::new().monitor("val_loss").save_best_only(true);
    let _ = EarlyStopping::new("val_loss").restore_best_weights(true);
}
