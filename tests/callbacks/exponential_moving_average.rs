use crate::model::{Line, assert_values, config};
use crate::recorder::{Recorder, assert_same};
use crate::table::table;
use std::path::{Path, PathBuf};
use tch_lightning::prelude::*;
use tch_lightning::{
    RunContext,
    callbacks::{ExponentialMovingAverage, ModelCheckpoint},
    checkpoint::SaveRequest,
};

fn sgd() -> Sgd {
    Sgd::new(0.1)
}

#[test]
fn averages_are_lightnings_in_validation_and_at_the_end() {
    for (number, case) in table().exponential_moving_average.into_iter().enumerate() {
        let mut line = if case.normed { Line::normed(sgd()) } else { Line::new(sgd()) };
        let recorder = Recorder::default();
        let config = TrainerConfig { log_every_n_steps: 1, ..case.trainer.with(config()) };
        let mut trainer = Trainer::new(config).logger(recorder.clone()).callback(case.average);
        trainer.fit(&mut line, ()).unwrap_or_else(|error| panic!("case {number}: {error}"));
        assert_same(&recorder.rows(), &case.rows);
        assert_values(&mut line, &case.model);
        assert_eq!(trainer.find_callback::<ExponentialMovingAverage>().unwrap().n_averaged(), case.n_averaged);
    }
}

struct SaveAfterEpoch(usize, std::path::PathBuf);

#[lightning_callback]
impl SaveAfterEpoch {
    fn on_train_epoch_end(&self, ctx: &mut Context) {
        if ctx.current_epoch() == self.0 {
            ctx.save_checkpoint(SaveRequest::new(&self.1));
        }
    }
}

fn averaging(config: TrainerConfig) -> Trainer<Line> {
    Trainer::new(config).callback(ExponentialMovingAverage::new(0.5))
}

#[test]
fn checkpoint_has_the_average_for_use_and_the_weights_for_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.ckpt");
    let mut whole = Line::normed(sgd());
    averaging(config()).callback(SaveAfterEpoch(0, path.clone())).fit(&mut whole, ()).unwrap();

    let mut resumed = Line::normed(sgd());
    averaging(config()).ckpt_path(&path).fit(&mut resumed, ()).unwrap();
    for (name, tensor) in whole.vs.variables() {
        assert_eq!(resumed.vs.variables()[&name], tensor, "{name}");
    }

    // a run of one epoch ends with the average that was saved after it
    let mut first = Line::normed(sgd());
    averaging(TrainerConfig { max_epochs: Some(1), ..config() }).fit(&mut first, ()).unwrap();
    let mut validated = Line::normed(sgd());
    Trainer::new(config()).ckpt_path(&path).validate(&mut validated, ()).unwrap();
    assert_eq!(validated.layer.ws, first.layer.ws);
}

#[test]
fn run_without_averages_can_be_resumed_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.ckpt");
    Trainer::new(config()).callback(SaveAfterEpoch(0, path.clone())).fit(&mut Line::new(sgd()), ()).unwrap();
    let mut trainer = averaging(config()).ckpt_path(&path);
    trainer.fit(&mut Line::new(sgd()), ()).unwrap();
    assert_eq!(trainer.find_callback::<ExponentialMovingAverage>().unwrap().n_averaged(), 8);
}

#[test]
fn module_is_unchanged_before_the_first_update() {
    let late = ExponentialMovingAverage::new(0.5).update_starting_at_step(1000);
    let (mut averaged, mut plain) = (Line::new(sgd()), Line::new(sgd()));
    let (with, without) = (Recorder::default(), Recorder::default());
    Trainer::new(config()).logger(with.clone()).callback(late).fit(&mut averaged, ()).unwrap();
    Trainer::new(config()).logger(without.clone()).fit(&mut plain, ()).unwrap();
    assert_eq!(averaged.layer.ws, plain.layer.ws);
    assert_eq!(with.rows(), without.rows());
}

#[test]
fn failed_validation_saves_the_weights_in_training() {
    struct Fail;

    #[lightning_callback]
    impl Fail {
        fn on_validation_batch_start(&self) -> Result<()> {
            bail!("no more")
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let save = ModelCheckpoint::new().dirpath(folder.path()).filename("broken").save_on_exception(true);
    let config = || TrainerConfig { max_epochs: Some(1), ..config() };
    averaging(TrainerConfig { enable_checkpointing: true, ..config() })
        .callback(Fail)
        .callback(save)
        .fit(&mut Line::new(sgd()), ())
        .unwrap_err();
    let mut plain = Line::new(sgd());
    Trainer::new(config()).fit(&mut plain, ()).unwrap();
    let saved = only_checkpoint(folder.path());
    assert_eq!(saved.tensors["current_model.layer.weight"], plain.layer.ws);
    assert_ne!(saved.tensors["module.layer.weight"], plain.layer.ws);
}

fn only_checkpoint(folder: &Path) -> Checkpoint {
    let files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    Checkpoint::read(&files[0]).unwrap()
}

/// Saves to a file where the first validation of epoch 1 is in one of its hooks.
struct SaveIn(&'static str, PathBuf);

impl SaveIn {
    fn called(&self, hook: &str, ctx: &mut RunContext) {
        if hook == self.0 && ctx.current_epoch() == 1 && !self.1.exists() {
            ctx.save_checkpoint(SaveRequest::new(&self.1));
        }
    }
}

#[lightning_callback]
impl SaveIn {
    fn on_validation_start(&self, ctx: &mut Context) {
        self.called("on_validation_start", ctx);
    }

    fn on_validation_epoch_start(&self, ctx: &mut Context) {
        self.called("on_validation_epoch_start", ctx);
    }

    fn on_validation_batch_end(&self, ctx: &mut Context, batch_idx: usize) {
        if batch_idx == 0 {
            self.called("on_validation_batch_end", ctx);
        }
    }

    fn on_validation_epoch_end(&self, ctx: &mut Context) {
        self.called("on_validation_epoch_end", ctx);
    }

    fn on_validation_end(&self, ctx: &mut Context) {
        self.called("on_validation_end", ctx);
    }
}

const VALIDATION: [&str; 5] = [
    "on_validation_start",
    "on_validation_epoch_start",
    "on_validation_batch_end",
    "on_validation_epoch_end",
    "on_validation_end",
];

/// The averages and the weights in training of a checkpoint.
fn both(path: &Path) -> Vec<(String, Tensor)> {
    let tensors = Checkpoint::read(path).unwrap().tensors.into_iter();
    let both: Vec<_> =
        tensors.filter(|(name, _)| name.starts_with("module.") || name.starts_with("current_model.")).collect();
    assert_eq!(both.len(), 12);
    both
}

#[test]
fn checkpoint_requested_in_validation_has_both_too() {
    for asynchronous in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = |hook: &str| folder.path().join(hook);
        let config = || TrainerConfig { async_checkpointing: asynchronous, ..config() };
        let mut whole = Line::normed(sgd());
        // some of them are called before the averages are swapped in or out, and some after
        let save = |hook: &'static str| SaveIn(hook, path(hook));
        let before = VALIDATION.iter().fold(Trainer::new(config()), |trainer, hook| trainer.callback(save(hook)));
        let after = |hook: &'static str| SaveIn(hook, path(&format!("{hook}-after")));
        let trainer = before.callback(ExponentialMovingAverage::new(0.5));
        VALIDATION.iter().fold(trainer, |trainer, hook| trainer.callback(after(hook))).fit(&mut whole, ()).unwrap();
        let expected = both(&path("on_validation_start"));
        for hook in VALIDATION.iter().flat_map(|hook| [(*hook).to_owned(), format!("{hook}-after")]) {
            assert_eq!(both(&path(&hook)), expected, "{hook}");
            let mut resumed = Line::normed(sgd());
            averaging(config()).ckpt_path(path(&hook)).fit(&mut resumed, ()).unwrap();
            for (name, tensor) in whole.vs.variables() {
                assert_eq!(resumed.vs.variables()[&name], tensor, "{name}, {hook}");
            }
        }
    }
}

#[test]
fn checkpoint_requested_in_a_sanity_check_or_by_validate_has_the_average_too() {
    let folder = tempfile::tempdir().unwrap();
    let (first, path) = (folder.path().join("first.ckpt"), folder.path().join("second.ckpt"));
    averaging(config()).callback(SaveAfterEpoch(0, first.clone())).fit(&mut Line::normed(sgd()), ()).unwrap();
    let average = |path: &Path| Checkpoint::read(path).unwrap().tensors["module.layer.weight"].shallow_clone();
    for hook in VALIDATION {
        let saving = |config| averaging(config).callback(SaveIn(hook, path.clone())).ckpt_path(&first);
        saving(config()).validate(&mut Line::normed(sgd()), ()).unwrap();
        assert_eq!(average(&path), average(&first), "{hook}");
        std::fs::remove_file(&path).unwrap();
        let config = TrainerConfig { num_sanity_val_steps: 1, ..config() };
        saving(config).fit(&mut Line::normed(sgd()), ()).unwrap();
        assert_eq!(both(&path), both(&first), "{hook}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn decay_out_of_range_is_refused() {
    let mut trainer = Trainer::new(config()).callback(ExponentialMovingAverage::new(1.5));
    let error = trainer.fit(&mut Line::new(sgd()), ()).unwrap_err();
    assert_eq!(error.to_string(), "`decay` of ExponentialMovingAverage must be from 0 to 1, but it is 1.5");
}
