use tch_lightning::prelude::*;

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))))
    }
}

fn main() {}
