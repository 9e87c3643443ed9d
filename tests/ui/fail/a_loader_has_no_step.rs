use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn test_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

fn main() {}
