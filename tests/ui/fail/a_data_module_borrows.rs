use tch_lightning::prelude::*;

struct Data<'p> {
    path: &'p str,
}

#[lightning_datamodule]
impl<'p> Data<'p> {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data in {}", self.path)
    }
}

fn main() {}
