//! A module that records what its hooks see of the other processes.

use super::Results;
use serde_json::json;
use tch_lightning::prelude::*;

/// A weight, and a buffer that counts in steps of the rank plus 1.
struct Observed {
    vs: nn::VarStore,
    weight: Tensor,
    count: Tensor,
    validated_with: Vec<f64>,
    metrics: Vec<serde_json::Value>,
}

impl Observed {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let (weight, count) = (vs.root().ones("weight", &[1]), vs.root().zeros_no_train("count", &[1]));
        Self { vs, weight, count, validated_with: Vec::new(), metrics: Vec::new() }
    }
}

fn numbers(count: i64) -> Result<DataLoader<Tensor>> {
    let numbers = Tensor::arange(count, (Kind::Float, Device::Cpu)).f_unsqueeze(1)?;
    Ok(DataLoader::new(TensorDataset::new(numbers)?).batch_size(1))
}

#[lightning_module]
impl Observed {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Result<Tensor> {
        let rank = ctx.rank().global as f64;
        let _ = self.count.f_add_scalar_(rank + 1.0)?;
        ctx.log("rank", rank).on_step(false).on_epoch(true).sync_dist(true);
        Ok((batch * &self.weight).mean(Kind::Float))
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        ctx.print("the epoch is done");
        self.metrics.push(json!(ctx.callback_metrics()["rank"]));
    }

    fn validation_step(&mut self, ctx: &mut Context, _batch: &Tensor) -> Result<()> {
        self.validated_with.push(self.count.f_double_value(&[0])?);
        ctx.log("val_rank", ctx.rank().global as f64).sync_dist(true);
        Ok(())
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
        self.metrics.push(json!(ctx.callback_metrics()["val_rank"]));
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        numbers(8)
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        numbers(5)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }
}

pub fn run(config: TrainerConfig) -> Result<Results> {
    let mut module = Observed::new();
    let mut trainer = Trainer::new(config.max_epochs(1).num_sanity_val_steps(0));
    trainer.fit(&mut module, ())?;
    let results = json!({ "validated_with": module.validated_with, "metrics": module.metrics });
    Ok((trainer.context().rank().global, results))
}
