use serde::{Deserialize, Serialize};
use tch_lightning::prelude::*;

#[derive(clap::Args, Serialize, Deserialize)]
struct Hparams {
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
}

struct Model {
    vs: nn::VarStore,
    hparams: Hparams,
    lr: f64,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Self {
        let lr = hparams["lr"];
        Self { vs: nn::VarStore::new(Device::Cpu), hparams, lr }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams["lr"])
    }
}

fn main() {}
