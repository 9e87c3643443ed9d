//! A hook returns its value or a `Result` of it, with any type of error that `?` turns into an `anyhow::Error`.

use std::fmt;
use tch_lightning::prelude::{Context, Flow, Stage, Tensor, lightning_module, nn};

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the disk: {0}")]
    Disk(#[from] std::io::Error),
    #[error("no batches")]
    Empty,
}

#[derive(Debug)]
struct Own;

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of my own")
    }
}

impl std::error::Error for Own {}

type Result<T, E = Trouble> = std::result::Result<T, E>;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self { vs: nn::VarStore::new(tch::Device::Cpu) })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Result<Tensor> {
        if batch.numel() == 0 { Err(Trouble::Empty) } else { Ok(batch.mean(None)) }
    }

    fn validation_step(&mut self, batch: &Tensor) -> Result<(), tch::TchError> {
        batch.f_mean(None).map(drop)
    }

    fn on_train_batch_start(&mut self) -> Result<Flow, Own> {
        Err(Own)
    }

    fn on_fit_start(&mut self) -> std::io::Result<()> {
        std::fs::read("data").map(drop)
    }

    fn on_fit_end(&mut self) -> anyhow::Result<()> {
        Err(Own.into())
    }

    fn on_train_start(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("a text is an error in a box".into())
    }

    fn setup(&mut self, stage: Stage) -> std::result::Result<(), Box<Trouble>> {
        println!("{stage}");
        Ok(())
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) -> fmt::Result {
        ctx.log("epoch", ctx.current_epoch());
        Ok(())
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 8);
}
