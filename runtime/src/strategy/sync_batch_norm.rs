use super::start::connected;
use super::world::World;
use super::{Operation, StrategyError};
use tch::nn::{BatchNorm, BatchNormConfig, ModuleT};
use tch::{Kind, Tensor, no_grad};

/// Batch normalization over the batches of all processes: PyTorch's
/// [`SyncBatchNorm`](https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html). Lightning's `sync_batchnorm` converts all
/// layers of a module; here, each layer is converted where it is created:
///
/// ```
/// use tch::{Device, Kind, Tensor, nn, nn::ModuleT};
/// use tch_lightning::strategy::SyncBatchNorm;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let config = nn::BatchNormConfig::default();
/// let norm = SyncBatchNorm::convert(nn::batch_norm2d(vs.root() / "norm", 3, config), config);
/// let images = Tensor::randn([8, 3, 4, 4], (Kind::Float, Device::Cpu));
/// assert!(norm.forward_t(&images, true).mean(Kind::Float).double_value(&[]).abs() < 1e-6);
/// ```
///
/// The input is `[batch, channels, …]`. In training, all processes of the run must call it; their batches may have different sizes. In
/// evaluation, and in a run of one process, it is the original layer. As layers of tch do, it panics if libtorch fails, which a hook
/// reports as an error.
#[derive(Debug)]
pub struct SyncBatchNorm {
    norm: BatchNorm,
    eps: f64,
    momentum: f64,
}

impl SyncBatchNorm {
    /// Converts a layer, whose parameters and buffers keep their names. The configuration is the one that it was created with.
    pub fn convert(norm: BatchNorm, config: BatchNormConfig) -> Self {
        Self { norm, eps: config.eps, momentum: config.momentum }
    }

    fn normalized(&self, world: &World, x: &Tensor) -> Result<Tensor, StrategyError> {
        let channels = x.size().get(1).copied().unwrap_or_default();
        let others: Vec<i64> = (0..x.dim() as i64).filter(|dim| *dim != 1).collect();
        let mut shape = vec![1; x.dim()];
        shape[1] = channels;
        let count = Tensor::f_full([1], (x.numel() as f64) / channels.max(1) as f64, (Kind::Float, x.device()))?;
        let sum = x.f_sum_dim_intlist(others.as_slice(), false, Kind::Float)?;
        let sums = world.sum(&Tensor::f_cat(&[sum, count], 0)?)?;
        let (sum, count) = (sums.f_narrow(0, 0, channels)?, sums.f_narrow(0, channels, 1)?.f_detach()?);
        let mean = sum.f_div(&count)?;
        let centered = x.f_sub(&mean.f_view(shape.as_slice())?)?;
        let squares = centered.f_square()?.f_sum_dim_intlist(others.as_slice(), false, Kind::Float)?;
        let variance = world.sum(&squares)?.f_div(&count)?;
        self.track(&mean, &variance, &count)?;
        let scale = variance.f_add_scalar(self.eps)?.f_rsqrt()?;
        let scale = self.norm.ws.as_ref().map_or_else(|| Ok(scale.shallow_clone()), |weight| scale.f_mul(weight))?;
        let scaled = centered.f_mul(&scale.f_view(shape.as_slice())?)?;
        Ok(match &self.norm.bs {
            Some(bias) => scaled.f_add(&bias.f_view(shape.as_slice())?)?,
            None => scaled,
        })
    }

    /// Moves the running statistics towards those of the batch, whose variance is then unbiased.
    fn track(&self, mean: &Tensor, variance: &Tensor, count: &Tensor) -> Result<(), StrategyError> {
        no_grad(|| {
            let unbiased = variance.f_mul(count)?.f_div(&count.f_sub_scalar(1.0)?)?;
            for (running, batch) in [(&self.norm.running_mean, mean), (&self.norm.running_var, &unbiased)] {
                let batch = batch.f_to_kind(running.f_kind()?)?;
                let _ = running.shallow_clone().f_lerp_(&batch, self.momentum)?;
            }
            Ok(())
        })
    }
}

impl ModuleT for SyncBatchNorm {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match connected().filter(|_| train) {
            Some(world) => self.normalized(&world, xs).unwrap_or_else(|error| panic!("SyncBatchNorm: {error}")),
            None => self.norm.forward_t(xs, train),
        }
    }
}

/// Only used by this layer: the other operations do not have gradients.
impl World {
    fn sum(&self, tensor: &Tensor) -> Result<Tensor, StrategyError> {
        self.run(Operation::Normalization, |group| group.sum(tensor))
    }
}
