//! A training in which everything is at stake: dropout, batch norm, shuffled data from workers, accumulation, a schedule by
//! step, validation inside the epoch, metrics, callbacks with states.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tch_lightning::metrics::Accuracy;
use tch_lightning::metrics::Multiclass;
use tch_lightning::prelude::*;
use tch_lightning::schedule::{CosineAnnealingLr, Interval, LrSchedulerConfig};
use tch_lightning::{
    Every, Loaders,
    callbacks::{
        EarlyStopping, ExponentialMovingAverage, LearningRateMonitor, ModelCheckpoint, StochasticWeightAveraging,
    },
    errors::FileError,
    loggers::{LoggedAt, Logger, Record},
    seed_everything,
    strategy::DdpConfig,
    trainer::ValCheckInterval,
};

/// Points `[batch, 4] f32` and their classes `[batch] i64`.
pub type Points = (Tensor, Tensor);

/// The name of the line's number in a checkpoint.
pub const LINE: &str = "line";

/// The hook that made a loader, with its epoch.
pub type Load = (&'static str, usize);

/// What happened, hook by hook and row by row, with every number as its bits.
#[derive(Clone, Default)]
pub struct Trace {
    lines: Rc<RefCell<Vec<String>>>,
    loads: Rc<RefCell<Vec<Load>>>,
    /// Where rows are written as well, a line for each.
    rows: Option<Rc<File>>,
}

impl Trace {
    /// A trace that writes its rows behind those of the file.
    pub fn with_rows(path: &Path) -> Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { rows: Some(Rc::new(file)), ..Self::default() })
    }

    /// Adds a line.
    pub fn line(&self, line: String) {
        self.lines.borrow_mut().push(line);
    }

    /// Adds that a loader was made.
    pub fn load(&self, dataloader: &'static str, epoch: usize) {
        self.loads.borrow_mut().push((dataloader, epoch));
    }

    /// The loaders that were made.
    pub fn loads(&self) -> Vec<Load> {
        self.loads.borrow().clone()
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// The lines behind the first that begins so; none where there is no such line.
    pub fn behind(&self, beginning: &str) -> Vec<String> {
        let lines = self.lines.borrow();
        let place = lines.iter().position(|line| line.starts_with(beginning));
        lines[place.map_or(lines.len(), |place| place + 1)..].to_vec()
    }
}

impl Logger for Trace {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let step = at.step;
        let values: Vec<String> =
            metrics.iter().map(|(name, value)| format!("{name}={:016x}", value.to_bits())).collect();
        let row = format!("row {step}: {}", values.join(" "));
        if let Some(mut file) = self.rows.as_deref() {
            let source = file.write_all(format!("{row}\n").as_bytes());
            source.map_err(|source| FileError { what: "cannot write the row of", path: "the trace".into(), source })?;
        }
        self.line(row);
        Ok(())
    }
}

#[lightning_callback]
impl Trace {
    fn on_train_start(&self) {
        self.line("on_train_start".to_owned());
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) {
        self.line(format!("on_train_epoch_start {} {}", ctx.current_epoch(), ctx.global_step()));
    }

    fn on_train_batch_start(&self, ctx: &mut Context, batch: &Points, batch_idx: usize) -> Result<()> {
        self.line(format!(
            "on_train_batch_start {batch_idx} at {} {}",
            ctx.global_step(),
            bits(&batch.0.sum(Kind::Double))?
        ));
        Ok(())
    }

    fn on_before_zero_grad(&self) {
        self.line("on_before_zero_grad".to_owned());
    }

    fn on_before_backward(&self, loss: &Tensor) -> Result<()> {
        self.line(format!("on_before_backward {}", bits(loss)?));
        Ok(())
    }

    fn on_before_optimizer_step(&self, ctx: &mut Context) -> Result<()> {
        let norm = ctx.optimizer(0).grad_norm()?;
        self.line(format!("on_before_optimizer_step {}", bits(&norm)?));
        Ok(())
    }

    fn on_validation_start(&self) {
        self.line("on_validation_start".to_owned());
    }

    fn on_validation_batch_end(&self, batch_idx: usize) {
        self.line(format!("on_validation_batch_end {batch_idx}"));
    }

    fn on_validation_end(&self) {
        self.line("on_validation_end".to_owned());
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        self.line(format!("on_train_epoch_end {} {}", ctx.current_epoch(), ctx.global_step()));
    }

    fn on_train_end(&self) {
        self.line("on_train_end".to_owned());
    }

    /// The checkpoint has the number of the line at which it was asked for.
    fn on_save_checkpoint(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        self.line("on_save_checkpoint".to_owned());
        Ok(checkpoint.insert(LINE, self.lines.borrow().len())?)
    }
}

fn bits(number: &Tensor) -> Result<String> {
    Ok(format!("{:016x}", number.f_double_value(&[])?.to_bits()))
}

/// Two layers with batch norm and dropout.
struct Classifier {
    vs: nn::VarStore,
    first: nn::Linear,
    norm: nn::BatchNorm,
    second: nn::Linear,
    accuracy: Accuracy<Multiclass>,
    trace: Trace,
}

impl Classifier {
    fn new(seed: i64, trace: &Trace) -> Self {
        seed_everything(seed);
        let vs = nn::VarStore::new(Device::Cpu);
        let first = nn::linear(vs.root() / "first", 4, 16, nn::LinearConfig::default());
        let norm = nn::batch_norm1d(vs.root() / "norm", 16, nn::BatchNormConfig::default());
        let second = nn::linear(vs.root() / "second", 16, 3, nn::LinearConfig::default());
        Self { vs, first, norm, second, accuracy: Accuracy::multiclass(3), trace: trace.clone() }
    }

    fn logits(&self, points: &Tensor, train: bool) -> Tensor {
        let hidden = self.norm.forward_t(&self.first.forward(points), train).relu().dropout(0.3, train);
        self.second.forward(&hidden)
    }
}

#[lightning_module]
impl Classifier {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Points) -> Result<Tensor> {
        let (points, classes) = batch;
        let logits = self.logits(points, true);
        let loss = logits.cross_entropy_for_logits(classes);
        self.accuracy.update(&logits, classes)?;
        let batches = ctx.total_batches();
        ctx.log("batch", batches);
        ctx.log("train_loss", &loss).on_epoch(true);
        ctx.log("train_acc", &self.accuracy).on_epoch(true);
        Ok(loss)
    }

    fn on_train_batch_end(&self, outputs: &Tensor) -> Result<()> {
        self.trace.line(format!("on_train_batch_end of the module {}", bits(outputs)?));
        Ok(())
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Points) {
        let (points, classes) = batch;
        ctx.log("val_loss", self.logits(points, false).cross_entropy_for_logits(classes));
    }

    fn configure_optimizers(&self) -> Result<Optimizers> {
        let by_step = LrSchedulerConfig::from(CosineAnnealingLr::new(40)).interval(Interval::Step);
        Ok(AdamW::new(0.01).lr_scheduler(by_step).into())
    }
}

/// The parameters and buffers of a store, which are of single precision.
pub fn weights_of(store: &nn::VarStore) -> Weights {
    let bits =
        |tensor: Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap_or_default().into_iter().map(f32::to_bits);
    let mut weights: Weights =
        store.variables().into_iter().map(|(name, tensor)| (name, bits(tensor).collect())).collect();
    weights.sort();
    weights
}

/// Points from a number on, as a dataset.
pub fn points(number: i64, offset: f64) -> Result<TensorDataset<Points>> {
    Ok(TensorDataset::new(rows(number, offset))?)
}

/// Points from a number on: `[number, 4] f32`, and their classes `[number] i64`.
pub fn rows(number: i64, offset: f64) -> Points {
    let n = Tensor::arange(number, (Kind::Double, Device::Cpu)).unsqueeze(1) + offset;
    let j = Tensor::arange_start(1, 5, (Kind::Double, Device::Cpu));
    let points = (&n * j * 0.7).sin().to_kind(Kind::Float);
    (points, n.squeeze_dim(1).remainder(3.0).to_kind(Kind::Int64))
}

/// Points that are moved a little whenever they are read, as augmentations do.
#[derive(Clone)]
struct Noisy(TensorDataset<Points>);

impl Dataset for Noisy {
    type Sample = Points;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get_item(&self, index: usize) -> Result<Points> {
        let (points, class) = self.0.get_item(index)?;
        Ok((points.randn_like() * 0.01 + points, class))
    }
}

/// Keeps every checkpoint that it writes.
pub fn checkpoints(folder: &Path) -> ModelCheckpoint {
    ModelCheckpoint::new().dirpath(folder).filename("{epoch}-{step}-{batch}").save_top_k(-1)
}

/// A training, from its beginning or after a checkpoint.
pub struct Training<'a> {
    /// What decides the weights and the dropout.
    pub seed: i64,
    /// Epochs of 13 batches.
    pub epochs: i64,
    /// What takes the rows and the hooks down.
    pub trace: &'a Trace,
    /// When checkpoints are written.
    pub checkpoints: ModelCheckpoint,
    /// Whether a thread writes them.
    pub async_checkpointing: bool,
    /// Whether the weights are averaged in two ways, with an epoch more for the batch norm.
    pub averages: bool,
    /// The checkpoint to go on from.
    pub after: Option<&'a Path>,
    /// The number of processes, which train by `ddp` if there are several.
    pub devices: usize,
}

/// Every parameter and buffer by its name, bit by bit.
pub type Weights = Vec<(String, Vec<u32>)>;

impl Training<'_> {
    /// Trains. Returns the weights.
    pub fn run(self) -> Result<Weights> {
        let mut classifier = Classifier::new(self.seed, self.trace);
        let mut trainer = Trainer::new(TrainerConfig {
            max_epochs: Some(self.epochs),
            accumulate_grad_batches: 3,
            val_check_interval: ValCheckInterval::Every(Every::Batches(5)),
            log_every_n_steps: 2,
            logger: false.into(),
            async_checkpointing: self.async_checkpointing,
            devices: self.devices.into(),
            strategy: DdpConfig::default().timeout(Duration::from_secs(20)).into(),
            enable_progress_bar: false,
            enable_model_summary: false,
            ..TrainerConfig::default()
        });
        trainer = trainer.logger(self.trace.clone()).callback(self.trace.clone());
        trainer =
            trainer.callback(EarlyStopping::new("val_loss").patience(10_000)).callback(LearningRateMonitor::new());
        if self.averages {
            trainer = trainer.callback(ExponentialMovingAverage::new(0.99));
            trainer = trainer.callback(StochasticWeightAveraging::new(0.005).swa_epoch_start(0.5));
        }
        trainer = trainer.callback(self.checkpoints);
        if let Some(checkpoint) = self.after {
            trainer = trainer.ckpt_path(checkpoint);
        }
        let training = DataLoader::with_workers(Noisy(points(100, 0.0)?), 2).batch_size(8).shuffle(true);
        let validation = DataLoader::with_workers(points(20, 1000.0)?, 2).batch_size(8);
        trainer.fit(&mut classifier, Loaders::train(training).with_validation(validation))?;
        Ok(weights_of(&classifier.vs))
    }
}
