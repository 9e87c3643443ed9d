//! `ctx.estimated_stepping_batches()` is the number of optimizer steps that a run takes.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::callbacks::{GradientAccumulationScheduler, ModelCheckpoint};
use tch_lightning::data::{IterableDataset, WorkerInfo};
use tch_lightning::prelude::*;

type Events = Rc<RefCell<Vec<String>>>;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
    /// Whether `configure_optimizers` asks for the number.
    asks: bool,
    /// Whether the loader does not know its length.
    is_stream: bool,
    estimated: Option<u64>,
    later: Option<u64>,
    events: Events,
}

impl Model {
    fn new(asks: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
        Self { vs, layer, asks, is_stream: false, estimated: None, later: None, events: Events::default() }
    }

    fn add(&self, event: &str) {
        self.events.borrow_mut().push(event.to_owned());
    }
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self, ctx: &mut Context) -> Result<Sgd> {
        self.add("configure_optimizers");
        if self.asks {
            self.estimated = Some(ctx.estimated_stepping_batches()?);
        }
        Ok(Sgd::new(0.1))
    }

    fn on_fit_start(&mut self) {
        self.add("on_fit_start");
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.add("train_dataloader");
        if self.is_stream {
            return Ok(DataLoader::iterable(Ones));
        }
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([10, 1], (Kind::Float, Device::Cpu)))?))
    }

    fn on_train_start(&mut self, ctx: &mut Context) {
        self.add("on_train_start");
        self.later = ctx.estimated_stepping_batches().ok();
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(Kind::Float)
    }
}

/// A stream of ten samples.
#[derive(Clone)]
struct Ones;

impl IterableDataset for Ones {
    type Sample = Tensor;

    fn iter(&self, _: u64, _: WorkerInfo) -> impl Iterator<Item = Result<Tensor>> {
        (0..10).map(|_| Ok(Tensor::ones([1], (Kind::Float, Device::Cpu))))
    }
}

fn config(change: impl FnOnce(&mut TrainerConfig)) -> TrainerConfig {
    let mut config = TrainerConfig {
        max_epochs: Some(3),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    change(&mut config);
    config
}

/// The number that `configure_optimizers` was given, with the number of steps that the run took.
fn estimated(change: impl FnOnce(&mut TrainerConfig)) -> (u64, usize) {
    let mut model = Model::new(true);
    let mut trainer = Trainer::new(config(change));
    trainer.fit(&mut model, ()).unwrap();
    assert_eq!(model.later, model.estimated);
    (model.estimated.unwrap(), trainer.context().global_step())
}

#[test]
fn estimate_is_the_number_of_steps_that_the_run_takes() {
    // an epoch has 10 batches: ceil(batches / accumulated) * epochs, at most `max_steps`
    assert_eq!(estimated(|_| {}), (30, 30));
    assert_eq!(estimated(|config| config.accumulate_grad_batches = 4), (9, 9));
    assert_eq!(estimated(|config| config.limit_train_batches = 7_usize.into()), (21, 21));
    assert_eq!(estimated(|config| config.limit_train_batches = 0.25.into()), (6, 6));
    assert_eq!(estimated(|config| config.overfit_batches = 2_usize.into()), (6, 6));
    assert_eq!(estimated(|config| config.max_steps = Some(12)), (12, 12));
    assert_eq!(estimated(|config| config.max_steps = Some(1_000)), (30, 30));
    assert_eq!(estimated(|config| config.fast_dev_run = 2_usize.into()), (2, 2));
    let both = |config: &mut TrainerConfig| {
        config.accumulate_grad_batches = 3;
        config.limit_train_batches = 8_usize.into();
        config.max_epochs = Some(5);
    };
    assert_eq!(estimated(both), (15, 15));
    let steps_alone = |config: &mut TrainerConfig| (config.max_epochs, config.max_steps) = (Some(-1), Some(25));
    assert_eq!(estimated(steps_alone), (25, 25));
}

#[test]
fn estimate_of_a_resumed_run_covers_the_complete_run() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = || ModelCheckpoint::new().dirpath(folder.path()).save_top_k(-1).filename("{epoch}");
    let mut model = Model::new(true);
    let mut trainer = Trainer::new(config(|config| config.max_epochs = Some(1))).callback(checkpoints());
    trainer.fit(&mut model, ()).unwrap();
    let mut resumed = Model::new(true);
    let mut trainer = Trainer::new(config(|_| {})).ckpt_path(folder.path().join("epoch=0.ckpt"));
    trainer.fit(&mut resumed, ()).unwrap();
    assert_eq!((model.estimated, resumed.estimated, trainer.context().global_step()), (Some(10), Some(30), 30));
}

#[test]
fn loader_for_the_estimate_is_created_once_and_in_the_usual_order() {
    let events = |asks| {
        let mut model = Model::new(asks);
        Trainer::new(config(|_| {})).fit(&mut model, ()).unwrap();
        model.events.take()
    };
    let asked = ["configure_optimizers", "train_dataloader", "configure_optimizers", "on_fit_start", "on_train_start"];
    assert_eq!(events(true), asked);
    assert_eq!(events(false), ["configure_optimizers", "on_fit_start", "train_dataloader", "on_train_start"]);
}

#[test]
fn estimate_follows_the_accumulation_of_a_callback() {
    let fit = |scheduling: &[(usize, usize)]| {
        let mut model = Model::new(true);
        let scheduler = GradientAccumulationScheduler::new(scheduling.iter().copied());
        let outcome = Trainer::new(config(|_| {})).callback(scheduler).fit(&mut model, ());
        outcome.map(|()| model.estimated.unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(fit(&[(0, 5)]), Ok(6));
    assert!(
        fit(&[(0, 1), (2, 5)]).unwrap_err().contains("GradientAccumulationScheduler changes the number of batches")
    );
}

#[test]
fn estimate_that_is_unknown_is_an_error_with_the_reason() {
    let fit = |is_stream, change: fn(&mut TrainerConfig)| {
        let mut model = Model { is_stream, ..Model::new(true) };
        let outcome = Trainer::new(config(change)).fit(&mut model, ());
        outcome.map(|()| model.estimated.unwrap()).map_err(|error| error.to_string())
    };
    let said = fit(true, |_| {}).unwrap_err();
    assert_eq!(
        said,
        "the number of optimizer steps is unknown: the training loader does not have a known length; set `max_steps`, or \
         `limit_train_batches` to a number"
    );
    assert_eq!(fit(true, |config| config.max_steps = Some(8)), Ok(8));
    assert_eq!(fit(true, |config| config.limit_train_batches = 4_usize.into()), Ok(12));
    let endless = |config: &mut TrainerConfig| config.max_epochs = Some(-1);
    let said = fit(false, endless).unwrap_err();
    assert!(said.ends_with("neither `max_epochs` nor `max_steps` ends the run; set one of them"), "{said}");
}
