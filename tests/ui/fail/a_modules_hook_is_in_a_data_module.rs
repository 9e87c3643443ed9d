use tch_lightning::prelude::*;

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_fit_start(&mut self) {}
}

fn main() {}
