//! A module whose training is known to be the same in one process and in several.

use tch_lightning::data::{DistributedSampler, SequentialSampler};
use tch_lightning::prelude::*;
use tch_lightning::strategy::SyncBatchNorm;

/// What a run does differently.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenario {
    /// Whether one process trains on the whole batches.
    pub is_whole: bool,
    /// Whether the branch is used in every other batch.
    pub skips_branch: bool,
    /// Whether the branch is never used.
    pub never_uses_branch: bool,
    /// Whether the input is normalized by a layer with buffers.
    pub normalizes: bool,
    /// Whether it is normalized over the batches of all processes.
    pub normalizes_together: bool,
    /// Whether rank 1 has no loss in every third batch.
    pub lacks_loss: bool,
}

/// Two layers, and a branch around the first.
pub struct Layers {
    vs: nn::VarStore,
    first: nn::Linear,
    second: nn::Linear,
    branch: nn::Linear,
    norm: Option<Box<dyn nn::ModuleT>>,
    scenario: Scenario,
}

const SAMPLES: i64 = 48;
/// The samples of all processes in a step.
const BATCH: usize = 8;

impl Layers {
    /// Creates the module with weights that differ in each process, as their seeds do.
    pub fn new(scenario: Scenario) -> Result<Self> {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer =
            |name: &str, inputs, outputs| nn::linear(vs.root() / name, inputs, outputs, nn::LinearConfig::default());
        let (first, second, branch) = (layer("first", 5, 7), layer("second", 7, 1), layer("branch", 5, 7));
        let config = nn::BatchNormConfig::default();
        let norm = || nn::batch_norm1d(vs.root() / "norm", 5, config);
        let norm: Option<Box<dyn nn::ModuleT>> = match scenario {
            Scenario { normalizes_together: true, .. } => Some(Box::new(SyncBatchNorm::convert(norm(), config))),
            Scenario { normalizes: true, .. } => Some(Box::new(norm())),
            _ => None,
        };
        if std::env::var_os("RANK").is_none() {
            // the weights of rank 0, which the others get
            tch::no_grad(|| {
                for (_, mut weights) in vs.variables() {
                    let numel = weights.numel() as i64;
                    let values = Tensor::arange(numel, (Kind::Float, Device::Cpu)).sin() * 0.4;
                    if weights.requires_grad() {
                        weights.copy_(&values.view_as(&weights));
                    }
                }
            });
        }
        Ok(Self { vs, first, second, branch, norm, scenario })
    }

    /// The running mean of the normalization, rank 0's at the last step.
    pub fn running_mean(&self) -> Result<Option<Vec<f32>>> {
        let mean = self.vs.variables().remove("norm.running_mean");
        Ok(mean.map(Vec::try_from).transpose()?)
    }

    /// All parameters by name.
    pub fn weights(&self) -> Result<std::collections::BTreeMap<String, Vec<f32>>> {
        let parameters = self.vs.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad());
        parameters.map(|(name, tensor)| Ok((name, Vec::try_from(tensor.flatten(0, -1))?))).collect()
    }
}

#[lightning_module]
impl Layers {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(
        &mut self,
        ctx: &mut Context,
        batch: &(Tensor, Tensor),
        batch_idx: usize,
    ) -> Result<Option<Tensor>> {
        let (x, y) = batch;
        if self.scenario.lacks_loss && (batch_idx + 1).is_multiple_of(3) && ctx.rank().global == 1 {
            return Ok(None);
        }
        let x = &self.norm.as_ref().map_or_else(|| x.shallow_clone(), |norm| norm.forward_t(x, true));
        let mut hidden = self.first.forward(x);
        if !self.scenario.never_uses_branch && (!self.scenario.skips_branch || batch_idx.is_multiple_of(2)) {
            hidden += self.branch.forward(x);
        }
        let loss = self.second.forward(&hidden.tanh()).mse_loss(y, tch::Reduction::Mean);
        ctx.log("loss", &loss).on_epoch(true).sync_dist(true);
        ctx.log("own_loss", &loss).on_step(false).on_epoch(true);
        ctx.log("samples", x.size()[0]).on_step(false).on_epoch(true).reduce(Reduction::Sum).sync_dist(true);
        Ok(Some(loss))
    }

    fn train_dataloader(&mut self, ctx: &mut Context) -> Result<DataLoader<(Tensor, Tensor)>> {
        let x = (Tensor::arange(SAMPLES * 5, (Kind::Float, Device::Cpu)).view([SAMPLES, 5]) * 0.37).sin();
        let y = (x.sum_dim_intlist([1].as_slice(), true, Kind::Float) * 1.3).cos();
        let (rank, size) = (ctx.rank().global, ctx.world_size());
        let loader = DataLoader::new(TensorDataset::new((x, y))?);
        if self.scenario.is_whole {
            return Ok(loader.batch_size(BATCH));
        }
        // batch k of all processes together is batch k of one process
        let samples = DistributedSampler::new(SequentialSampler::new(SAMPLES as usize), rank, size)?;
        Ok(loader.batch_size(BATCH / size).sampler(samples))
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.2).momentum(0.9)
    }
}
