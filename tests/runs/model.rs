//! One linear layer, whose loaders, callbacks and validation losses a test decides.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch_lightning::data::{IterableDataset, WorkerInfo};
use tch_lightning::prelude::*;
use tch_lightning::{
    Every,
    callbacks::ModelCheckpoint,
    loggers::{LoggedAt, Logger, Record},
    trainer::EndReason,
};

/// Inputs `[batch, 1] f32`.
pub type Inputs = Tensor;

/// Makes the callbacks that a module configures.
pub type Configured = Box<dyn Fn() -> Vec<Box<dyn Callback<Line>>>>;

/// What happens in a run, in order.
#[derive(Clone, Default)]
pub struct Events(Rc<RefCell<Vec<String>>>);

impl Events {
    pub fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// The events that begin so, without the beginning.
    pub fn of(&self, beginning: &str) -> Vec<String> {
        self.all().iter().filter_map(|event| event.strip_prefix(beginning)).map(|rest| rest.trim().to_owned()).collect()
    }
}

impl Logger for Events {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let step = at.step;
        let values: Vec<String> = metrics.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.add(format!("row {step} {}", values.join(" ")));
        Ok(())
    }
}

pub struct Line {
    pub vs: nn::VarStore,
    pub layer: nn::Linear,
    pub events: Events,
    /// The training batches, each of one sample.
    pub batches: i64,
    /// Whether the training batches are a stream that does not know its length.
    pub is_stream: bool,
    /// The validation batches.
    pub val_batches: i64,
    /// What validation logs in its first runs; the last value is repeated.
    pub val_losses: Vec<f64>,
    pub validations: usize,
    pub configured: Configured,
    /// The epoch and batch whose training step fails.
    pub fails_at: Option<(usize, usize)>,
    pub optimizer: tch_lightning::module::ScheduledOptimizer,
}

impl Line {
    pub fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "layer", 1, 1, nn::LinearConfig::default());
        tch::no_grad(|| vs.variables().values_mut().for_each(|weight| drop(weight.fill_(0.5))));
        Self {
            vs,
            layer,
            events: Events::default(),
            batches: 4,
            is_stream: false,
            val_batches: 2,
            val_losses: vec![1.0],
            validations: 0,
            configured: Box::new(Vec::new),
            fails_at: None,
            optimizer: Sgd::new(0.1).into_optimizer(),
        }
    }

    pub fn configured(self, configured: impl Fn() -> Vec<Box<dyn Callback<Self>>> + 'static) -> Self {
        Self { configured: Box::new(configured), ..self }
    }
}

/// The numbers 1 to `self.0`, as a stream.
#[derive(Clone)]
struct Numbers(i64);

impl IterableDataset for Numbers {
    type Sample = Tensor;

    fn iter(&self, _: u64, worker: WorkerInfo) -> impl Iterator<Item = Result<Tensor>> {
        worker.share(1..=self.0).map(|number| Ok(Tensor::from_slice(&[number as f32])))
    }
}

#[lightning_module]
impl Line {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&self) -> tch_lightning::module::ScheduledOptimizer {
        self.optimizer.clone()
    }

    fn configure_callbacks(&self) -> Vec<Box<dyn Callback<Self>>> {
        (self.configured)()
    }

    fn train_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Inputs>> {
        self.events.add(format!("train_dataloader {}", ctx.current_epoch()));
        if self.is_stream {
            return Ok(DataLoader::iterable(Numbers(self.batches)));
        }
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([self.batches, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn val_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Inputs>> {
        self.events.add(format!("val_dataloader {}", ctx.current_epoch()));
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([self.val_batches, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn test_dataloader(&self) -> Result<DataLoader<Inputs>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([2, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn training_step(&self, ctx: &mut Context, batch: &Inputs, batch_idx: usize) -> Result<Tensor> {
        if self.fails_at == Some((ctx.current_epoch(), batch_idx)) {
            bail!("no more");
        }
        self.events.add(format!("batch {} {batch_idx} at {}", ctx.current_epoch(), ctx.global_step()));
        let loss = self.layer.forward(batch).square().mean(Kind::Float);
        ctx.log("train_loss", &loss);
        Ok(loss)
    }

    fn on_validation_start(&mut self, ctx: &mut Context) {
        if !ctx.sanity_checking() {
            self.events.add(format!("validation {} at {}", ctx.current_epoch(), ctx.global_step()));
            self.validations += 1;
        }
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Inputs) {
        let _ = self.layer.forward(batch);
        let run = self.validations.clamp(1, self.val_losses.len());
        ctx.log("val_loss", self.val_losses[run - 1]);
    }

    fn test_step(&self, ctx: &mut Context, batch: &Inputs) {
        self.events.add(format!("test {} at {}", ctx.current_epoch(), ctx.global_step()));
        ctx.log("test_loss", self.layer.forward(batch).sum(Kind::Float));
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        self.events.add(format!("epoch {} at {}", ctx.current_epoch(), ctx.global_step()));
    }
}

/// A run that writes nothing by itself.
pub fn quiet() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0,
        ..TrainerConfig::default()
    }
}

/// A trainer whose rows are among the line's events.
pub fn trainer(config: TrainerConfig, line: &Line) -> Trainer<Line> {
    Trainer::new(config).logger(line.events.clone())
}

/// Fits, and returns why the run ended.
pub fn fit(trainer: &mut Trainer<Line>, line: &mut Line) -> EndReason {
    trainer.fit(line, ()).unwrap();
    trainer.context().end_reason().unwrap().clone()
}

/// A callback that keeps every checkpoint in `folder`, under the names of epoch and step.
pub fn every(folder: &Path, every: Every) -> ModelCheckpoint {
    ModelCheckpoint::new().dirpath(folder).filename("{epoch}-{step}").save_top_k(-1).every(every)
}

/// The names of the files in a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The checkpoint in `folder` after this epoch and step.
pub fn file(folder: &Path, epoch: usize, step: usize) -> PathBuf {
    folder.join(format!("epoch={epoch}-step={step}.ckpt"))
}
