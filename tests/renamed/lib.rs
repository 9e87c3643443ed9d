//! What the macros write finds the crate under the name that the manifest gives it.
#![deny(warnings, clippy::all, clippy::pedantic)]

use lightning::prelude::*;

/// A batch.
#[derive(Batch)]
pub struct Rows {
    input: Tensor,
}

/// A module.
pub struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Tensor {
        let loss = batch.input.mean(None);
        ctx.log("loss", &loss);
        loss
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn configure_callbacks(&mut self) -> Vec<Box<dyn Callback<Self>>> {
        vec![Box::new(Printer)]
    }
}

/// A data module.
pub struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        bail!("no data")
    }
}

/// A callback.
pub struct Printer;

#[lightning_callback]
impl Printer {
    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        println!("epoch {}", ctx.current_epoch());
    }
}

/// A program.
#[must_use]
pub fn run() -> ExitCode {
    Model::main::<Data>()
}
