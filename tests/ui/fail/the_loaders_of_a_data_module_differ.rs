use tch_lightning::prelude::*;

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        bail!("no data")
    }

    fn val_dataloader(&mut self) -> Result<Vec<DataLoader<Tensor>>> {
        bail!("no data")
    }
}

fn main() {}
