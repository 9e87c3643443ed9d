use tch_lightning::prelude::*;

struct Data;

#[lightning_datamodule]
impl Data {
    fn setup(&mut self, stages: Stage) {
        println!("{stages:?}");
    }

    fn train_dataloader(&mut self, batch_size: i64) -> Result<DataLoader<Tensor>> {
        bail!("no data in batches of {batch_size}")
    }

    fn on_download(&mut self) {}
}

fn main() {}
