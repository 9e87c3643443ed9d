use tch_lightning::prelude::*;

#[derive(Batch)]
struct Rows<'t> {
    input: &'t Tensor,
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Rows<'static>>> {
        bail!("no data")
    }
}

fn main() {}
