//! Recomputes the running statistics of batch norms for averaged weights.

use crate::module::copy;
use crate::native::lerp;
use anyhow::Result;
use std::collections::BTreeMap;
use tch::nn::VarStore;
use tch::{Kind, TchError, Tensor, no_grad};

/// The value of the buffers before the batch that reveals the momentum: a power of two far above any statistic.
const FAR_AWAY: f64 = (1u64 << 60) as f64;
/// The same for float16, whose range is smaller.
const FAR_AWAY_IN_HALF: f64 = (1u64 << 14) as f64;

const BEFORE: &str = "before";
const MOMENTA: &str = "momenta";
const MEANS: &str = "means";

/// Computes the arithmetic means of the batches' statistics, as PyTorch's
/// [`update_bn`](https://docs.pytorch.org/docs/2.13/optim.html#taking-care-of-batch-normalization) does with a momentum
/// of `None`, which tch's batch norm does not have.
///
/// A batch sets the buffers to `(1 - momentum) * before + momentum * statistics`, but the momentum is private to the module.
/// The buffers are therefore set to 0 before each batch, and the results are averaged and divided by the momentum, which is
/// the fraction by which one batch reduces a large number. Nothing is read back from the device.
#[derive(Debug)]
pub(super) struct NormStatistics {
    buffers: Vec<Tensor>,
    /// The former values of the buffers, for norms that the batches do not pass through.
    before: Vec<Tensor>,
    momenta: Vec<Tensor>,
    means: Vec<Tensor>,
    batches: u64,
}

impl NormStatistics {
    /// Whether a module has batch norms.
    pub(super) fn are_in(store: &VarStore) -> bool {
        !buffers(store).is_empty()
    }

    /// Creates the statistics of a module's batch norms.
    pub(super) fn new(store: &VarStore) -> Result<Self, TchError> {
        let buffers = buffers(store);
        let before = buffers.iter().map(copy).collect::<Result<_, _>>()?;
        let means = buffers.iter().map(copy).collect::<Result<_, _>>()?;
        Ok(Self { buffers, before, momenta: Vec::new(), means, batches: 0 })
    }

    /// Determines the momenta; `forward` passes a batch through the module.
    pub(super) fn find_momenta(&mut self, forward: impl FnOnce() -> Result<()>) -> Result<()> {
        self.fill(far_away)?;
        forward()?;
        let momentum =
            |buffer: &Tensor| no_grad(|| (buffer.f_div_scalar(far_away(buffer)))?.f_neg()?.f_add_scalar(1.0));
        self.momenta = self.buffers.iter().map(momentum).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Returns the tensors that a checkpoint within the epoch contains, with their names.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (String, Tensor)> {
        let kept = [(BEFORE, &self.before), (MOMENTA, &self.momenta), (MEANS, &self.means)];
        kept.into_iter().flat_map(|(name, tensors)| {
            tensors.iter().enumerate().map(move |(index, tensor)| (format!("{name}.{index}"), tensor.shallow_clone()))
        })
    }

    /// Restores the tensors of a checkpoint that was written after this many batches.
    pub(super) fn restore(&mut self, tensors: &BTreeMap<String, Tensor>, batches: u64) -> Result<(), TchError> {
        let restored = |name: &str| -> Result<Vec<Tensor>, TchError> {
            let kept = (0..).map_while(|index| tensors.get(&format!("{name}.{index}")));
            kept.zip(&self.buffers).map(|(tensor, buffer)| tensor.f_to_device(buffer.device())).collect()
        };
        (self.before, self.momenta, self.means) = (restored(BEFORE)?, restored(MOMENTA)?, restored(MEANS)?);
        self.batches = batches;
        Ok(())
    }

    /// Returns the number of batches in the means.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// Whether the momenta are still unknown.
    pub(super) fn needs_momenta(&self) -> bool {
        self.momenta.is_empty()
    }

    pub(super) fn before_batch(&mut self) -> Result<(), TchError> {
        self.fill(|_| 0.0)
    }

    pub(super) fn after_batch(&mut self) -> Result<()> {
        self.batches = self.batches.saturating_add(1);
        lerp(&self.means, &self.buffers, 1.0 / self.batches as f64)?;
        Ok(self.leave()?)
    }

    fn fill(&mut self, value: impl Fn(&Tensor) -> f64) -> Result<(), TchError> {
        no_grad(|| self.buffers.iter_mut().try_for_each(|buffer| buffer.f_fill_(value(buffer)).map(drop)))
    }

    /// Sets the buffers to the means so far, or to their former values before the first batch is complete.
    pub(super) fn leave(&mut self) -> Result<(), TchError> {
        let statistics = if self.batches == 0 { None } else { Some(self.statistics()?) };
        let statistics = statistics.as_ref().unwrap_or(&self.before);
        no_grad(|| self.buffers.iter_mut().zip(statistics).try_for_each(|(buffer, new)| buffer.f_copy_(new)))
    }

    fn statistics(&self) -> Result<Vec<Tensor>, TchError> {
        let gathered = self.means.iter().zip(&self.momenta).zip(&self.before);
        let statistic = |((mean, momentum), before): ((&Tensor, &Tensor), &Tensor)| {
            let has_passed = momentum.f_gt(0.0)?;
            mean.f_div(momentum)?.f_where_self(&has_passed, before)
        };
        no_grad(|| gathered.map(statistic).collect())
    }
}

/// Returns the running means and variances, which PyTorch and tch name alike.
fn buffers(store: &VarStore) -> Vec<Tensor> {
    let is_statistic = |name: &str| matches!(name.rsplit('.').next(), Some("running_mean" | "running_var"));
    let mut named: Vec<_> = store.variables().into_iter().filter(|(name, _)| is_statistic(name)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    named.into_iter().map(|(_, buffer)| buffer).collect()
}

fn far_away(buffer: &Tensor) -> f64 {
    if buffer.kind() == Kind::Half { FAR_AWAY_IN_HALF } else { FAR_AWAY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;
    use tch::nn::{self, ModuleT};

    fn batches() -> Vec<Tensor> {
        let start = Tensor::arange(12, (Kind::Float, Device::Cpu)).view([4, 3]);
        (1..4).map(|number| (&start * f64::from(number)).sin() * 3.0 + 5.0).collect()
    }

    /// Returns the resulting statistics of a batch norm with this momentum, and of an unused one.
    fn gathered(momentum: f64) -> (Vec<Tensor>, Vec<Tensor>) {
        let store = VarStore::new(Device::Cpu);
        let config = nn::BatchNormConfig { momentum, ..nn::BatchNormConfig::default() };
        let norm = nn::batch_norm1d(store.root() / "norm", 3, config);
        let _unused = nn::batch_norm1d(store.root() / "unused", 2, config);
        let mut statistics = NormStatistics::new(&store).unwrap();
        for batch in batches() {
            if statistics.needs_momenta() {
                let forward = || {
                    let _ = norm.forward_t(&batch, true);
                    Ok(())
                };
                statistics.find_momenta(forward).unwrap();
            }
            statistics.before_batch().unwrap();
            let _ = norm.forward_t(&batch, true);
            statistics.after_batch().unwrap();
        }
        let mut buffers = buffers(&store);
        let unused = buffers.split_off(2);
        (buffers, unused)
    }

    #[test]
    fn statistics_are_arithmetic_means_for_any_momentum() {
        let batches = batches();
        let mean = |of: &dyn Fn(&Tensor) -> Tensor| {
            Tensor::stack(&batches.iter().map(of).collect::<Vec<_>>(), 0).mean_dim(0, false, Kind::Float)
        };
        let means = mean(&|batch| batch.mean_dim(0, false, Kind::Float));
        let variances = mean(&|batch| batch.var_dim(0, true, false));
        for momentum in [0.1, 0.5, 0.01, 1.0] {
            let (gathered, unused) = gathered(momentum);
            assert!(gathered[0].allclose(&means, 1e-5, 0.0, false), "{momentum}: {:?}", gathered[0]);
            assert!(gathered[1].allclose(&variances, 1e-5, 0.0, false), "{momentum}: {:?}", gathered[1]);
            assert_eq!(
                unused,
                [Tensor::zeros([2], (Kind::Float, Device::Cpu)), Tensor::ones([2], (Kind::Float, Device::Cpu))]
            );
        }
    }
}
