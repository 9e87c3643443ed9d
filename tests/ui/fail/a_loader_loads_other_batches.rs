use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        batch.0.mse_loss(&batch.1, tch::Reduction::Mean)
    }
}

fn main() {}
