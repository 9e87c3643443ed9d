//! A module with weighted losses, of whose terms the processes have different numbers in each batch.

use super::Results;
use serde_json::json;
use std::collections::BTreeMap;
use tch_lightning::prelude::*;

/// A linear model.
pub struct Uneven {
    vs: nn::VarStore,
    layer: nn::Linear,
}

const SAMPLES: i64 = 20;
/// The samples of all processes in a batch. The last one of an epoch has 4.
const BATCH: usize = 8;

/// Returns the samples of a rank in each batch.
fn samples(rank: usize, processes: usize) -> (i64, i64) {
    match processes {
        1 => (0, 8),
        // of the last batch, the second process has none
        2 => [(0, 5), (5, 8)][rank],
        _ => [(0, 1), (1, 4), (4, 6), (6, 8)][rank],
    }
}

type Rows = (Tensor, Tensor);

impl Uneven {
    /// Creates the module with the same weights in each process.
    pub fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 3, 2, <_>::default());
        tch::no_grad(|| {
            for mut weights in vs.trainable_variables() {
                let values = Tensor::arange(weights.numel() as i64, (Kind::Float, Device::Cpu)).sin() * 0.4;
                weights.copy_(&values.view_as(&weights));
            }
        });
        Self { vs, layer }
    }
}

#[lightning_module]
impl Uneven {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Rows>> {
        let x = Tensor::arange(SAMPLES * 3, (Kind::Float, Device::Cpu)).view([SAMPLES, 3]).sin();
        let y = Tensor::arange(SAMPLES * 2, (Kind::Float, Device::Cpu)).view([SAMPLES, 2]).cos();
        Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(BATCH))
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Weighted {
        let (from, to) = samples(ctx.rank().global, ctx.world_size());
        let (x, y) = (batch.0.slice(0, from, to, 1), batch.1.slice(0, from, to, 1));
        let loss = Weighted { loss_sum: self.layer.forward(&x).mse_loss(&y, tch::Reduction::Sum), count: y.numel() };
        ctx.log("loss", &loss).on_step(false).on_epoch(true).sync_dist(true);
        loss
    }
}

/// Trains, and returns the weights of this rank.
pub fn run(config: TrainerConfig) -> Result<Results> {
    let mut module = Uneven::new();
    let mut trainer = Trainer::new(config.use_distributed_sampler(false));
    trainer.fit(&mut module, ())?;
    let weights = module.vs.variables().into_iter();
    let weights: BTreeMap<String, Vec<f32>> =
        weights.map(|(name, tensor)| Ok((name, Vec::try_from(tensor.flatten(0, -1))?))).collect::<Result<_>>()?;
    let ctx = trainer.context();
    let results = json!({ "weights": weights, "steps": ctx.global_step(), "loss": ctx.callback_metrics()["loss"] });
    Ok((ctx.rank().global, results))
}
