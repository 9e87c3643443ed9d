//! A small program, whose only purpose is that this crate has the instances of generic functions which most programs need.
//!
//! Without optimization, the compiler does not compile an instance again that a crate below already has: the loaders of
//! `(Tensor, Tensor)`, the readers and writers of saved states, and what std needs for them are then compiled once, with this
//! crate, instead of with every change of every program. Optimized builds do not share instances, and nothing depends on
//! the unit tests, so neither has this module.

use crate::prelude::*;
use clap::Args;
use serde::{Deserialize, Serialize};

// a static is compiled, with all it refers to, although nothing uses it; linkers leave it out of programs
#[used]
static PROGRAM: fn() -> ExitCode = Model::main::<Data>;

#[derive(Args, Serialize, Deserialize)]
struct Hparams {
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
}

struct Model {
    vs: nn::VarStore,
    hparams: Hparams,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<Tensor> {
        ctx.log("train_loss", &batch.0);
        Ok(batch.0.shallow_clone())
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        ctx.log("val_loss", batch.0.shallow_clone()).prog_bar();
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(self.hparams.lr)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let samples = TensorDataset::new((Tensor::new(), Tensor::new()))?;
        Ok(DataLoader::new(samples).batch_size(1).shuffle(true))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.train_dataloader()
    }
}
