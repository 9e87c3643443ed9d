//! New runs that take a part of a checkpoint: `resume`.

use std::path::{Path, PathBuf};
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::prelude::*;
use tch_lightning::trainer::Resume;

/// One weight whose gradient is 1, with a learning rate that is halved after each epoch of one step.
struct Falling {
    vs: nn::VarStore,
    weight: Tensor,
    lr: f64,
    uses_adam: bool,
}

impl Falling {
    fn new(lr: f64) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().zeros("weight", &[1]);
        Self { vs, weight, lr, uses_adam: false }
    }

    fn weight(&self) -> f64 {
        self.weight.double_value(&[0])
    }
}

#[lightning_module]
impl Falling {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.weight.dot(batch)
    }

    fn configure_optimizers(&self) -> ScheduledOptimizer {
        let schedule = ExponentialLr::new(0.5);
        match self.uses_adam {
            true => Adam::new(self.lr).lr_scheduler(schedule),
            false => Sgd::new(self.lr).momentum(0.9).lr_scheduler(schedule),
        }
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([1], (Kind::Float, Device::Cpu)))?))
    }
}

fn config(max_epochs: i64, folder: &Path) -> TrainerConfig {
    TrainerConfig::default()
        .max_epochs(max_epochs)
        .default_root_dir(folder)
        .logger(false)
        .enable_progress_bar(false)
        .enable_model_summary(false)
}

/// Trains two epochs: the momentum is 1 and 1.9, the learning rate 0.1 and 0.05, and the weight -0.1 and -0.195.
fn two_epochs(folder: &Path, weights_only: bool) -> PathBuf {
    let checkpoint = ModelCheckpoint::new().dirpath(folder).filename("two").save_weights_only(weights_only);
    let mut module = Falling::new(0.1);
    Trainer::new(config(2, folder)).callback(checkpoint).fit(&mut module, ()).unwrap();
    is_near(module.weight(), -0.195);
    folder.join("two.ckpt")
}

fn is_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

/// Trains with a learning rate of 1 from the checkpoint. Returns the weight, the number of steps and the epochs.
fn from(checkpoint: &Path, config: TrainerConfig) -> Result<(f64, usize, usize), tch_lightning::Error> {
    let mut module = Falling::new(1.0);
    let mut trainer = Trainer::new(config.enable_checkpointing(false)).ckpt_path(checkpoint);
    trainer.fit(&mut module, ())?;
    let ctx = trainer.context();
    Ok((module.weight(), ctx.global_step(), ctx.current_epoch()))
}

#[test]
fn run_is_continued_with_its_own_settings() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = two_epochs(folder.path(), false);
    let (weight, steps, epochs) = from(&checkpoint, config(3, folder.path())).unwrap();
    // the momentum is 0.9 · 1.9 + 1 = 2.71, and the learning rate 0.025
    is_near(weight, -0.195 - 0.025 * 2.71);
    assert_eq!((steps, epochs), (3, 3));
}

#[test]
fn new_run_takes_the_optimizers_states() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = two_epochs(folder.path(), false);
    let config = config(2, folder.path()).resume(Resume::Optimizer);
    let (weight, steps, epochs) = from(&checkpoint, config).unwrap();
    // the momentum is 2.71 and 3.439, and the learning rates are the new run's, 1 and 0.5
    is_near(weight, -0.195 - 2.71 - 0.5 * 3.439);
    assert_eq!((steps, epochs), (2, 2));
}

#[test]
fn new_run_takes_the_weights_alone() {
    let folder = tempfile::tempdir().unwrap();
    for weights_only in [false, true] {
        let checkpoint = two_epochs(folder.path(), weights_only);
        let config = config(2, folder.path()).resume(Resume::Weights);
        let (weight, steps, epochs) = from(&checkpoint, config).unwrap();
        // the momentum starts from 0: it is 1 and 1.9
        is_near(weight, -0.195 - 1.0 - 0.5 * 1.9);
        assert_eq!((steps, epochs), (2, 2));
    }
}

/// The weight in its last checkpoint is that of the module.
#[test]
fn new_run_saves_its_checkpoints() {
    for resume in [Resume::Weights, Resume::Optimizer] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = two_epochs(folder.path(), false);
        let mut module = Falling::new(1.0);
        let mut trainer = Trainer::new(config(3, folder.path()).resume(resume))
            .callback(ModelCheckpoint::new().dirpath(folder.path().join("new")))
            .ckpt_path(&checkpoint);
        trainer.fit(&mut module, ()).unwrap();
        let saved = Checkpoint::read(&folder.path().join("new/epoch=2-step=3.ckpt")).unwrap();
        assert_eq!((saved.metadata.epoch, saved.metadata.global_step), (3, 3), "{resume:?}");
        is_near(saved.tensors["module.weight"].double_value(&[0]), module.weight());
    }
}

#[test]
fn states_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = two_epochs(folder.path(), true);
    let config = config(1, folder.path()).resume(Resume::Optimizer);
    let error = from(&checkpoint, config).unwrap_err().to_string();
    assert!(error.contains("two.ckpt") && error.contains("`resume`"), "{error}");
}

#[test]
fn states_of_another_optimizer_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = two_epochs(folder.path(), false);
    let config = config(1, folder.path()).resume(Resume::Optimizer);
    let mut module = Falling { uses_adam: true, ..Falling::new(1.0) };
    let error = Trainer::new(config).ckpt_path(&checkpoint).fit(&mut module, ()).unwrap_err().to_string();
    assert!(error.contains("its optimizer 0 is SGD, but the run's is Adam"), "{error}");
    is_near(module.weight(), 0.0);
}

#[test]
fn new_run_may_have_another_precision() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = two_epochs(folder.path(), false);
    let config = config(1, folder.path()).resume(Resume::Weights).precision(Precision::Float64True);
    let (weight, ..) = from(&checkpoint, config).unwrap();
    is_near(weight, -1.195);
}
