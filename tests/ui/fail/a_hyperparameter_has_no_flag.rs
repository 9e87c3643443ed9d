use clap::Args;
use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    /// The learning rate
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    /// How many units a layer has
    width: i64,
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Self {
        println!("{} {}", hparams.lr, hparams.width);
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }
}

#[derive(Args, Serialize, Deserialize)]
struct DataSettings {
    #[arg(default_value_t = 32)]
    batch_size: usize,
    #[arg(long)]
    folder: String,
    #[arg(skip)]
    rows: Option<usize>,
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new(hparams: DataSettings) -> Self {
        println!("{} {} {:?}", hparams.batch_size, hparams.folder, hparams.rows);
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
