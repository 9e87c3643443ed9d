use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn train_dataloader(&mut self) -> Tensor {
        Tensor::from(1.0)
    }

    fn validation_step(&mut self) {}

    fn val_dataloader(&mut self) -> Result<Option<DataLoader<()>>> {
        Ok(None)
    }
}

fn main() {}
