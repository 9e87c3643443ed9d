use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) {
        AdamW::new(1e-3)
    }

    fn configure_callbacks(&self) {
        (ModelCheckpoint::new(), EarlyStopping::new("val_loss"))
    }

    fn train_dataloader(&mut self) {
        DataLoader::new(vec![Tensor::from(1)])
    }
}

fn main() {}
