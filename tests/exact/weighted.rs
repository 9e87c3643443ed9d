//! Weighted losses: accumulation windows and uneven last batches equal one large batch.

use crate::slope::{after, alone, config, saves};
use tch_lightning::module::TrainingOutput;
use tch_lightning::prelude::*;

const SAMPLES: i64 = 10;

/// A linear model, whose training step returns `Weighted`, or a mean if its batches are `large`.
struct Regression {
    vs: nn::VarStore,
    layer: nn::Linear,
    batch_size: usize,
    is_large: bool,
}

/// Either kind of loss.
enum Loss {
    Mean(Tensor),
    Weighted(Weighted),
}

impl TrainingOutput for Loss {
    const IS_WEIGHTED: bool = true;

    fn loss(&self) -> Option<&Tensor> {
        match self {
            Self::Mean(mean) => Some(mean),
            Self::Weighted(weighted) => weighted.loss(),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Mean(_) => 1,
            Self::Weighted(weighted) => weighted.count(),
        }
    }
}

impl Regression {
    fn new(batch_size: usize, is_large: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, 2, <_>::default());
        tch::no_grad(|| {
            layer.ws.shallow_clone().copy_(&(Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]) * 0.1));
            let _ = layer.bs.as_ref().unwrap().shallow_clone().zero_();
        });
        Self { vs, layer, batch_size, is_large }
    }

    fn values(&self) -> Vec<f32> {
        let all = [self.layer.ws.flatten(0, -1), self.layer.bs.as_ref().unwrap().shallow_clone()];
        Vec::try_from(Tensor::cat(&all, 0)).unwrap()
    }
}

#[lightning_module]
impl Regression {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        let x = Tensor::arange(SAMPLES * 3, (Kind::Float, Device::Cpu)).view([SAMPLES, 3]).sin();
        let y = Tensor::arange(SAMPLES * 2, (Kind::Float, Device::Cpu)).view([SAMPLES, 2]).cos() * 3;
        Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(self.batch_size))
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Loss {
        let (x, y) = batch;
        let outputs = self.layer.forward(x);
        if self.is_large {
            let mean = outputs.mse_loss(y, tch::Reduction::Mean);
            ctx.log("loss", &mean).on_step(false).on_epoch(true);
            return Loss::Mean(mean);
        }
        let loss = Weighted { loss_sum: outputs.mse_loss(y, tch::Reduction::Sum), count: y.numel() };
        ctx.log("loss", &loss).on_step(false).on_epoch(true);
        Loss::Weighted(loss)
    }
}

fn fit(mut module: Regression, accumulate_grad_batches: usize) -> (Vec<f32>, f64) {
    let mut trainer = Trainer::new(TrainerConfig { accumulate_grad_batches, ..config(5) });
    trainer.fit(&mut module, ()).unwrap();
    let loss = trainer.context().callback_metrics()["loss"];
    (module.values(), loss)
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-6), "{found:?}, not {expected:?}");
}

#[test]
fn windows_of_uneven_batches_equal_one_large_batch() {
    let _alone = alone();
    let (large, large_loss) = fit(Regression::new(10, true), 1);
    // batches of 3, 3, 3 and 1; of 4, 4 and 2, in a window that the epoch ends early; of 9 and 1; and of 10
    for (batch_size, accumulated) in [(3, 4), (4, 8), (9, 2), (10, 1), (10, 3), (1, 10)] {
        let (values, loss) = fit(Regression::new(batch_size, false), accumulated);
        assert_close(&values, &large);
        assert!((loss - large_loss).abs() < 1e-6 * large_loss.max(1.0), "{batch_size}: {loss}, not {large_loss}");
    }
    // two windows: 9 samples, and 1
    let (large, _) = fit(Regression::new(9, true), 1);
    assert_close(&fit(Regression::new(3, false), 3).0, &large);
    assert_close(&fit(Regression::new(9, false), 1).0, &large);
}

#[test]
fn run_resumes_bit_for_bit_within_a_window_of_weighted_losses() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { accumulate_grad_batches: 4, ..config(2) };
    let mut whole = Regression::new(3, false);
    Trainer::new(config()).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    for batches in 1..8 {
        let mut resumed = Regression::new(3, false);
        Trainer::new(config()).ckpt_path(after(folder.path(), batches)).fit(&mut resumed, ()).unwrap();
        assert_eq!(resumed.values(), whole.values(), "after {batches} batches");
    }
}

/// Losses of which there may be none, as those of a batch without labels.
struct Sparse(Regression);

#[lightning_module]
impl Sparse {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1).momentum(0.9)
    }

    fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.0.train_dataloader()
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor), batch_idx: usize) -> Option<Weighted> {
        let loss_sum = self.0.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Sum);
        (batch_idx > 0).then(|| Weighted { loss_sum, count: batch.1.numel() })
    }
}

#[test]
fn batch_without_a_loss_does_not_count() {
    let _alone = alone();
    let fit = |batch_size, accumulate_grad_batches| {
        let mut module = Sparse(Regression::new(batch_size, false));
        Trainer::new(TrainerConfig { accumulate_grad_batches, ..config(1) }).fit(&mut module, ()).unwrap();
        module.0.values()
    };
    // one step with the last 5 samples
    let step = |values: &[f32]| {
        let module = Regression::new(5, true);
        let x = Tensor::arange(SAMPLES * 3, (Kind::Float, Device::Cpu)).view([SAMPLES, 3]).sin().narrow(0, 5, 5);
        let y = (Tensor::arange(SAMPLES * 2, (Kind::Float, Device::Cpu)).view([SAMPLES, 2]).cos() * 3).narrow(0, 5, 5);
        module.layer.forward(&x).mse_loss(&y, tch::Reduction::Mean).backward();
        let gradients = [module.layer.ws.grad().flatten(0, -1), module.layer.bs.as_ref().unwrap().grad()];
        let expected = Tensor::from_slice(&module.values()) - Tensor::cat(&gradients, 0) * 0.1;
        assert_close(values, &Vec::<f32>::try_from(expected).unwrap());
    };
    step(&fit(5, 2));
    step(&fit(5, 3));
}

/// A loss whose count was negative before it was made a `usize`.
struct Negative(Regression);

#[lightning_module]
impl Negative {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&self) -> Result<DataLoader<(Tensor, Tensor)>> {
        self.0.train_dataloader()
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Weighted {
        let count = -batch.0.size()[0];
        Weighted { loss_sum: self.0.layer.forward(&batch.0).sum(Kind::Float), count: count as usize }
    }
}

#[test]
fn count_that_was_negative_is_refused_before_a_step() {
    let _alone = alone();
    for accumulate_grad_batches in [1, 2] {
        let mut module = Negative(Regression::new(4, false));
        let before = module.0.values();
        let mut trainer = Trainer::new(TrainerConfig { accumulate_grad_batches, ..config(1) });
        let said = trainer.fit(&mut module, ()).unwrap_err().to_string();
        assert_eq!(
            said,
            "the `count` of a `Weighted` loss was 18446744073709551612 at epoch 0, batch 0, which is too large: it was perhaps a negative \
             number, and then made a `usize` by `as`"
        );
        assert_eq!(module.0.values(), before);
    }
}
