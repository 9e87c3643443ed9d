use tch_lightning::prelude::*;

struct Rows {
    input: Tensor,
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        bail!("no data")
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        bail!("no data")
    }

    fn test_dataloader(&mut self) -> Result<Vec<DataLoader<Rows>>> {
        bail!("no data")
    }
}

fn main() {}
