//! What callbacks and data modules keep in a checkpoint, and what everybody is told when a run fails.
#![allow(missing_docs)]

use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::callbacks::{EarlyStopping, ModelCheckpoint, OnExceptionCheckpoint};
use tch_lightning::prelude::*;

type Rows = (Tensor, Tensor);
type Told = Rc<RefCell<Vec<String>>>;

struct Line {
    vs: nn::VarStore,
    layer: nn::Linear,
    told: Told,
    fails: bool,
}

impl Line {
    fn new(told: &Told, fails: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
        Self { vs, layer, told: Rc::clone(told), fails }
    }
}

#[lightning_module]
impl Line {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<Tensor> {
        if self.fails && batch_idx == 1 {
            bail!("no more");
        }
        let loss = self.layer.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
        ctx.log("train_loss", &loss).on_epoch(true);
        Ok(loss)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn on_exception(&self, exception: &tch_lightning::Error) {
        self.told.borrow_mut().push(format!("module: {exception}"));
    }
}

struct Points {
    told: Told,
    dealt: usize,
}

#[lightning_datamodule]
impl Points {
    fn train_dataloader(&mut self) -> Result<DataLoader<Rows>> {
        self.dealt += 1;
        let x = Tensor::linspace(-1.0, 1.0, 8, (Kind::Float, Device::Cpu)).unsqueeze(1);
        Ok(DataLoader::new(TensorDataset::new((x.shallow_clone(), x))?).batch_size(2))
    }

    fn on_exception(&self, exception: &tch_lightning::Error) {
        self.told.borrow_mut().push(format!("data module: {exception}"));
    }

    fn state_dict(&self) -> Value {
        json!({ "dealt": self.dealt })
    }

    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        self.dealt = serde_json::from_value(state_dict["dealt"].clone())?;
        Ok(())
    }
}

/// Counts the batches of a run that goes on.
struct Counter {
    told: Told,
    batches: Rc<RefCell<usize>>,
}

#[lightning_callback]
impl Counter {
    fn on_train_batch_end(&mut self) {
        *self.batches.borrow_mut() += 1;
    }

    fn on_exception(&self, exception: &tch_lightning::Error) {
        self.told.borrow_mut().push(format!("callback: {exception}"));
    }

    fn state_dict(&self) -> Value {
        json!(*self.batches.borrow())
    }

    fn load_state_dict(&self, state_dict: &Value) -> Result<(), serde_json::Error> {
        *self.batches.borrow_mut() = serde_json::from_value(state_dict.clone())?;
        Ok(())
    }
}

struct Run {
    folder: tempfile::TempDir,
    told: Told,
}

impl Run {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Told::default() }
    }

    fn trainer(&self, epochs: i64, batches: &Rc<RefCell<usize>>) -> Trainer<Line> {
        let config = TrainerConfig {
            max_epochs: Some(epochs),
            default_root_dir: self.folder.path().to_owned(),
            enable_progress_bar: false,
            enable_model_summary: false,
            ..TrainerConfig::default()
        };
        Trainer::new(config).callback(Counter { told: Rc::clone(&self.told), batches: Rc::clone(batches) })
    }
}

#[test]
fn callbacks_and_data_modules_resume_where_they_were() {
    let run = Run::new();
    let batches = Rc::new(RefCell::new(0));
    let mut points = Points { told: Rc::clone(&run.told), dealt: 10 };
    run.trainer(2, &batches).fit(&mut Line::new(&run.told, false), &mut points).unwrap();
    assert_eq!((*batches.borrow(), points.dealt), (8, 11));

    let checkpoint = run.folder.path().join("lightning_logs/version_0/checkpoints/epoch=1-step=8.ckpt");
    let batches = Rc::new(RefCell::new(0));
    let mut points = Points { told: Rc::clone(&run.told), dealt: 0 };
    let mut trainer = run.trainer(3, &batches).ckpt_path(checkpoint);
    trainer.fit(&mut Line::new(&run.told, false), &mut points).unwrap();
    // one more epoch of four batches, and one more loader
    assert_eq!((*batches.borrow(), points.dealt), (12, 12));
    assert!(run.told.borrow().is_empty());
}

#[test]
fn error_that_ends_the_run_reaches_every_on_exception() {
    let run = Run::new();
    let mut points = Points { told: Rc::clone(&run.told), dealt: 0 };
    let error = run.trainer(1, &Rc::default()).fit(&mut Line::new(&run.told, true), &mut points).unwrap_err();
    assert_eq!(error.to_string(), "`training_step` failed in `fit` at epoch 0, batch 1: no more");
    let told = ["callback", "module", "data module"].map(|who| format!("{who}: {error}"));
    assert_eq!(*run.told.borrow(), told);
}

/// Fails in the second of four batches, and goes on from the checkpoint of that. Returns the batches of the run that goes on.
fn batches_after_a_failure(accumulate_grad_batches: usize) -> usize {
    let run = Run::new();
    let config = || TrainerConfig {
        max_epochs: Some(1),
        accumulate_grad_batches,
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    };
    let checkpoint = OnExceptionCheckpoint::new(run.folder.path());
    let path = checkpoint.ckpt_path();
    let mut points = Points { told: Rc::clone(&run.told), dealt: 0 };
    Trainer::new(config()).callback(checkpoint).fit(&mut Line::new(&run.told, true), &mut points).unwrap_err();
    let batches = Rc::new(RefCell::new(0));
    let counter = Counter { told: Rc::clone(&run.told), batches: Rc::clone(&batches) };
    let mut trainer = Trainer::new(config()).callback(counter).ckpt_path(path);
    trainer.fit(&mut Line::new(&run.told, false), &mut points).unwrap();
    assert_eq!(trainer.context().total_batches(), 4);
    *batches.borrow()
}

#[test]
fn run_that_failed_resumes_with_the_batch_that_failed() {
    assert_eq!(batches_after_a_failure(1), 3);
    // its window is incomplete, and begins again
    assert_eq!(batches_after_a_failure(2), 4);
}

#[test]
fn run_that_stopped_early_stops_again_unless_it_may_continue() {
    let run = Run::new();
    let epochs = |patience: usize, max_epochs: i64, ckpt_path: Option<std::path::PathBuf>| {
        // nothing is an improvement by so much
        let stopping = EarlyStopping::new("train_loss").patience(patience).min_delta(100.0);
        let mut trainer = run.trainer(max_epochs, &Rc::default()).callback(stopping);
        if let Some(path) = ckpt_path {
            trainer = trainer.ckpt_path(path);
        }
        let mut points = Points { told: Rc::clone(&run.told), dealt: 0 };
        trainer.fit(&mut Line::new(&run.told, false), &mut points).unwrap();
        let best = trainer.find_callback::<ModelCheckpoint>().and_then(|callback| callback.best_model_path());
        (trainer.context().current_epoch(), best.map(std::path::Path::to_owned))
    };
    let (ended, checkpoint) = epochs(2, 10, None);
    assert_eq!(ended, 3);
    assert_eq!(epochs(2, 10, checkpoint.clone()).0, 3);
    assert_eq!(epochs(4, 10, checkpoint).0, 5);
}
