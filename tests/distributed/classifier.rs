//! A training in which each process has a state of its own: dropout, noise in the data, metrics, values that are not joined.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch_lightning::data::{IterableDataset, WorkerInfo};
use tch_lightning::loggers::{LoggedAt, Logger, Record};
use tch_lightning::metrics::{Accuracy, Multiclass};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{CosineAnnealingLr, Interval, LrSchedulerConfig};

/// Numbers of samples, `[batch] i64`, and points `[batch, 4] f32`.
pub type Batch = (Tensor, Tensor);

/// The samples of a training batch, after its epoch.
pub type OfEpoch = (usize, Vec<i64>);

/// What happened in a process. Numbers are bits, so that equal ones are the same.
#[derive(Clone, Default)]
pub struct Trace {
    /// The loss of each batch, counted over all epochs from 1.
    pub losses: Rc<RefCell<BTreeMap<usize, String>>>,
    /// The samples of each training batch, by epoch.
    pub samples: Rc<RefCell<Vec<OfEpoch>>>,
    /// The rows of the logger, by step.
    pub rows: Rc<RefCell<Vec<String>>>,
}

impl Logger for Trace {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let values: Vec<String> =
            metrics.iter().map(|(name, value)| format!("{name}={:016x}", value.to_bits())).collect();
        self.rows.borrow_mut().push(format!("{} {}", at.step, values.join(" ")));
        Ok(())
    }
}

/// Two layers with dropout.
pub struct Classifier {
    pub vs: nn::VarStore,
    first: nn::Linear,
    second: nn::Linear,
    accuracy: Accuracy<Multiclass>,
    trace: Trace,
    /// The batch, counted over all epochs from 1, in which rank 1 ends without a word.
    pub killed_in: Option<usize>,
    /// The batch in which rank 1 fails.
    pub fails_in: Option<usize>,
    /// The batch in which rank 0 catches Ctrl-C.
    pub interrupted_in: Option<usize>,
}

impl Classifier {
    pub fn new(trace: &Trace) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let first = nn::linear(vs.root() / "first", 4, 16, nn::LinearConfig::default());
        let second = nn::linear(vs.root() / "second", 16, 3, nn::LinearConfig::default());
        Self {
            vs,
            first,
            second,
            accuracy: Accuracy::multiclass(3),
            trace: trace.clone(),
            killed_in: None,
            fails_in: None,
            interrupted_in: None,
        }
    }

    fn logits(&self, points: &Tensor, train: bool) -> Tensor {
        self.second.forward(&self.first.forward(points).relu().dropout(0.3, train))
    }

    /// The bits of all parameters, by name.
    pub fn weights(&self) -> BTreeMap<String, Vec<u32>> {
        let bits = |tensor: Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap().into_iter().map(f32::to_bits);
        self.vs.variables().into_iter().map(|(name, tensor)| (name, bits(tensor).collect())).collect()
    }
}

#[lightning_module]
impl Classifier {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Batch) -> Result<Tensor> {
        let (numbers, points) = batch;
        if self.killed_in == Some(ctx.total_batches()) && !ctx.is_global_zero() {
            std::process::abort();
        }
        if self.fails_in == Some(ctx.total_batches()) && !ctx.is_global_zero() {
            bail!("rank 1 has had enough");
        }
        if self.interrupted_in == Some(ctx.total_batches()) && ctx.is_global_zero() {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT)?;
        }
        self.trace.samples.borrow_mut().push((ctx.current_epoch(), Vec::try_from(numbers)?));
        let classes = numbers.remainder(3);
        let logits = self.logits(points, true);
        let loss = logits.cross_entropy_for_logits(&classes);
        self.accuracy.update(&logits, &classes)?;
        ctx.log("train_loss", &loss).on_step(true).on_epoch(true).sync_dist(true);
        ctx.log("own_loss", &loss).on_epoch(true);
        ctx.log("train_acc", &self.accuracy).on_epoch(true);
        let loss_bits = format!("{:016x}", loss.double_value(&[]).to_bits());
        self.trace.losses.borrow_mut().insert(ctx.total_batches(), loss_bits);
        Ok(loss)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Batch) {
        let (numbers, points) = batch;
        let loss = self.logits(points, false).cross_entropy_for_logits(&numbers.remainder(3));
        ctx.log("val_loss", loss).sync_dist(true);
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Batch) {
        let (numbers, points) = batch;
        let loss = self.logits(points, false).cross_entropy_for_logits(&numbers.remainder(3));
        ctx.log("test_loss", loss).sync_dist(true);
    }

    fn predict_step(&mut self, batch: &Batch) -> Result<Vec<i64>> {
        Ok(Vec::try_from(&batch.0)?)
    }

    fn configure_optimizers(&self) -> Result<Optimizers> {
        let by_step = LrSchedulerConfig::from(CosineAnnealingLr::new(40)).interval(Interval::Step);
        Ok(AdamW::new(0.01).lr_scheduler(by_step).into())
    }
}

/// Points that are moved a little whenever they are read, as augmentations do.
#[derive(Clone)]
pub struct Points(pub i64);

impl Dataset for Points {
    type Sample = Batch;

    fn len(&self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }

    fn get_item(&self, index: usize) -> Result<Batch> {
        let number = Tensor::from(i64::try_from(index)?);
        let point = (Tensor::arange_start(1, 5, (Kind::Float, Device::Cpu)) * 0.7 * &number).sin();
        Ok((number, (point.randn_like() * 0.01 + point).to_kind(Kind::Float)))
    }
}

/// Points in their order, one after another.
#[derive(Clone)]
pub struct Stream(pub Points);

impl IterableDataset for Stream {
    type Sample = Batch;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<Batch>> {
        let points = self.0.clone();
        worker.share(0..points.len()).map(move |index| points.get_item(index))
    }
}
