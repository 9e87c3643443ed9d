// Arguments that Python's constructors have, and those of this crate set by methods.
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

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))?, 32, true))
    }

    fn configure_optimizers(&mut self) -> (Sgd, StepLr) {
        (Sgd::new(0.1, 0.9), StepLr::new(30, 0.1))
    }

    fn configure_callbacks(&self) -> (EarlyStopping, ModelCheckpoint) {
        (EarlyStopping::new("val_loss", 3), ModelCheckpoint::new("val_loss"))
    }

    fn early_stopping() -> EarlyStopping {
        EarlyStopping::new().patience(3)
    }

    fn adam(&self) -> AdamW {
        AdamW::new(self.vs.trainable_variables(), 1e-3)
    }

    fn warm_up() -> LinearLr {
        LinearLr::new(0.1, 1.0, 10)
    }

    fn pairs(images: Tensor, labels: Tensor) -> Result<TensorDataset<(Tensor, Tensor)>> {
        Ok(TensorDataset::new(images, labels)?)
    }
}

fn main() {}
