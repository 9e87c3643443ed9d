//! A module whose hooks are what a test says.

use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::context::phase::Epoch;
use tch_lightning::prelude::*;
use tch_lightning::{
    Error, RunContext,
    loggers::{LoggedAt, Logger, Record},
};

pub type Rows = (Tensor, Tensor);

type Step = Box<dyn FnMut(&mut Context, usize) -> Result<()>>;
type EpochHook = Box<dyn FnMut(&mut Context<Epoch>) -> Result<()>>;

/// A linear layer, 1 to 1, that is trained on [`Script::batches`] batches of two samples.
pub struct Script {
    vs: nn::VarStore,
    layer: nn::Linear,
    batches: i64,
    val_loaders: usize,
    training_step: Step,
    on_train_batch_end: Step,
    on_train_epoch_start: EpochHook,
    on_train_epoch_end: EpochHook,
    validation_step: Step,
    on_validation_epoch_end: EpochHook,
}

impl Script {
    /// Batches of an epoch, and what `training_step` does besides its loss.
    pub fn new(batches: i64, training_step: impl FnMut(&mut Context, usize) -> Result<()> + 'static) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
        Self {
            vs,
            layer,
            batches,
            val_loaders: 1,
            training_step: Box::new(training_step),
            on_train_batch_end: Box::new(|_, _| Ok(())),
            on_train_epoch_start: Box::new(|_| Ok(())),
            on_train_epoch_end: Box::new(|_| Ok(())),
            validation_step: Box::new(|_, _| Ok(())),
            on_validation_epoch_end: Box::new(|_| Ok(())),
        }
    }

    /// With a batch norm that no batch passes through.
    pub fn normed(self) -> Self {
        let _norm = nn::batch_norm1d(self.vs.root() / "norm", 1, nn::BatchNormConfig::default());
        self
    }

    pub fn val_loaders(self, val_loaders: usize) -> Self {
        Self { val_loaders, ..self }
    }

    pub fn at_batch_end(mut self, hook: impl FnMut(&mut Context, usize) -> Result<()> + 'static) -> Self {
        self.on_train_batch_end = Box::new(hook);
        self
    }

    pub fn at_epoch_start(mut self, hook: impl FnMut(&mut Context<Epoch>) -> Result<()> + 'static) -> Self {
        self.on_train_epoch_start = Box::new(hook);
        self
    }

    pub fn at_epoch_end(mut self, hook: impl FnMut(&mut Context<Epoch>) -> Result<()> + 'static) -> Self {
        self.on_train_epoch_end = Box::new(hook);
        self
    }

    pub fn in_validation(mut self, hook: impl FnMut(&mut Context, usize) -> Result<()> + 'static) -> Self {
        self.validation_step = Box::new(hook);
        self
    }

    pub fn at_validation_end(mut self, hook: impl FnMut(&mut Context<Epoch>) -> Result<()> + 'static) -> Self {
        self.on_validation_epoch_end = Box::new(hook);
        self
    }

    fn rows(&self) -> Result<DataLoader<Rows>> {
        let x = Tensor::linspace(-1.0, 1.0, 2 * self.batches, (Kind::Float, Device::Cpu)).unsqueeze(1);
        Ok(DataLoader::new(TensorDataset::new((x.shallow_clone(), x))?).batch_size(2))
    }
}

#[lightning_module]
impl Script {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<Tensor> {
        (self.training_step)(ctx, batch_idx)?;
        Ok(self.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean))
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
        (self.on_train_batch_end)(ctx, batch_idx)
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) -> Result<()> {
        (self.on_train_epoch_start)(ctx)
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        (self.on_train_epoch_end)(ctx)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<()> {
        let _ = batch;
        (self.validation_step)(ctx, batch_idx)
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
        (self.on_validation_epoch_end)(ctx)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        self.rows()
    }

    fn val_dataloader(&mut self) -> Result<DataLoaders<Rows>> {
        let loaders: Result<Vec<_>> = (0..self.val_loaders).map(|_| self.rows()).collect();
        Ok(loaders?.into())
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

/// A row: its step, and its values in their order.
pub type Row = (usize, Vec<(String, f64)>);

/// A logger that keeps its rows.
#[derive(Clone, Default)]
pub struct Recorder(Rc<RefCell<Vec<Row>>>);

impl Recorder {
    pub fn rows(&self) -> Vec<Row> {
        self.0.borrow().clone()
    }

    /// The values of one column, in the order of the rows that have it.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let rows = self.0.borrow();
        rows.iter()
            .flat_map(|(_, row)| row.iter().filter(|(column, _)| column == name).map(|(_, value)| *value))
            .collect()
    }
}

impl Logger for Recorder {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let step = at.step;
        self.0.borrow_mut().push((step, metrics.to_vec()));
        Ok(())
    }
}

/// One epoch, a row for each step, and nothing written.
pub fn config() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(1),
        log_every_n_steps: 1,
        limit_val_batches: 0.into(),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

/// Runs the script. Returns its rows.
pub fn fit(config: TrainerConfig, mut script: Script) -> Result<Recorder, Error> {
    let recorder = Recorder::default();
    Trainer::new(config).logger(recorder.clone()).fit(&mut script, ())?;
    Ok(recorder)
}

/// Validates over two loaders of two batches each, in which `log` is called with the loader's index.
pub fn over_two_loaders(log: impl Fn(&mut Context, usize) -> Result<()> + 'static) -> Result<Recorder, Error> {
    let validate = TrainerConfig { limit_val_batches: 1.0.into(), num_sanity_val_steps: 0, ..config() };
    let batches = Rc::new(RefCell::new(0));
    let script = Script::new(2, |_, _| Ok(())).val_loaders(2).in_validation(move |ctx, _| {
        let loader = *batches.borrow() / 2;
        *batches.borrow_mut() += 1;
        log(ctx, loader)
    });
    fit(validate, script)
}

/// What is shown of a run inside of a hook.
pub fn callback_metric(ctx: &RunContext, name: &str) -> Option<f64> {
    ctx.callback_metrics().get(name)
}
