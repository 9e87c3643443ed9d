use crate::model::{Line, assert_values, config};
use crate::table::table;
use std::path::Path;
use tch_lightning::context::phase::Outside;
use tch_lightning::prelude::*;
use tch_lightning::{
    Callback, Context, Error,
    callbacks::{LambdaCallback, OnExceptionCheckpoint},
};

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

#[test]
fn run_that_fails_leaves_what_lightnings_leaves() {
    let expected = table().on_exception_checkpoint;
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let fail = LambdaCallback::new().on_train_batch_end(|ctx, _: &mut Line, _, _, batch_idx| {
        if (ctx.current_epoch(), batch_idx) == (1, 2) { bail!("no more") } else { Ok(()) }
    });
    // before the one that fails, and yet called after it
    let mut trainer = Trainer::new(config()).callback(save.clone()).callback(fail);
    trainer.fit(&mut line(), ()).unwrap_err();
    let saved = Checkpoint::read(&save.ckpt_path()).unwrap();
    assert_eq!((saved.metadata.epoch, saved.metadata.global_step), (expected.epoch, expected.step));
    let mut restored = line();
    Trainer::new(config()).ckpt_path(save.ckpt_path()).validate(&mut restored, ()).unwrap();
    assert_values(&mut restored, &expected.model);

    // Lightning removes it at the end of any later run that does not fail, also of the one that began from it
    assert!(!expected.is_kept);
    Trainer::new(config()).callback(save.clone()).fit(&mut line(), ()).unwrap();
    assert!(save.ckpt_path().exists());
}

fn failing_at(epoch: usize, batch: usize) -> LambdaCallback<Line> {
    LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut Line, _, _, batch_idx| {
        if (ctx.current_epoch(), batch_idx) == (epoch, batch) { bail!("no more") } else { Ok(()) }
    })
}

/// The files in a folder with the step of each.
fn steps(folder: &Path) -> Vec<(String, usize)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let step = |path: &Path| Checkpoint::read(path).unwrap().metadata.global_step;
    let mut steps: Vec<_> =
        files.map(|entry| (entry.file_name().into_string().unwrap(), step(&entry.path()))).collect();
    steps.sort();
    steps
}

#[test]
fn files_of_other_runs_stay() {
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let trainer = |epochs| {
        let config = TrainerConfig { max_epochs: Some(epochs), ..config() };
        Trainer::<Line>::new(config).callback(save.clone())
    };
    let batches = 4;
    trainer(3).callback(failing_at(1, 2)).fit(&mut line(), ()).unwrap_err();
    let crashed = vec![("on_exception.ckpt".to_owned(), batches + 3)];
    assert_eq!(steps(folder.path()), crashed);

    // the run that began from it, to the end; one that has nothing left to train; and one from the beginning
    trainer(3).ckpt_path(save.ckpt_path()).fit(&mut line(), ()).unwrap();
    assert_eq!(steps(folder.path()), crashed);
    trainer(1).ckpt_path(save.ckpt_path()).fit(&mut line(), ()).unwrap();
    assert_eq!(steps(folder.path()), crashed);
    trainer(1).fit(&mut line(), ()).unwrap();
    assert_eq!(steps(folder.path()), crashed);

    // another run that fails
    trainer(3).callback(failing_at(0, 1)).fit(&mut line(), ()).unwrap_err();
    let mut both = vec![("on_exception-v1.ckpt".to_owned(), 2), crashed[0].clone()];
    assert_eq!(steps(folder.path()), both);
    // the first run goes further, and fails again
    trainer(3).callback(failing_at(2, 0)).ckpt_path(save.ckpt_path()).fit(&mut line(), ()).unwrap_err();
    both[1].1 = 2 * batches + 1;
    assert_eq!(steps(folder.path()), both);
}

/// Starts a run while another one that has failed is still ending.
struct Meanwhile(Option<Box<dyn FnOnce()>>);

impl Callback<Line> for Meanwhile {
    fn name(&self) -> &'static str {
        "Meanwhile"
    }

    fn writes_checkpoints(&self) -> bool {
        true
    }

    fn on_exception(&mut self, _: &mut Context<Outside>, _: &mut Line, _: &Error) -> Result<()> {
        self.0.take().into_iter().for_each(|run| run());
        Ok(())
    }
}

#[cfg(unix)]
#[test]
fn runs_at_the_same_time_have_a_file_each() {
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let run = |save, batch| {
        let trainer = Trainer::new(config()).callback(save).callback(failing_at(0, batch));
        move |meanwhile| trainer.callback(Meanwhile(meanwhile)).fit(&mut line(), ()).unwrap_err()
    };
    let second = run(save.clone(), 0);
    run(save, 1)(Some(Box::new(|| drop(second(None)))));
    assert_eq!(steps(folder.path()), [("on_exception.ckpt".to_owned(), 2)]);
    assert_eq!(steps(&folder.path().join("version_1")), [("on_exception.ckpt".to_owned(), 1)]);
}

#[test]
fn file_needs_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path()).filename("");
    let error = Trainer::new(config()).callback(save).fit(&mut line(), ()).unwrap_err();
    assert_eq!(error.to_string(), "`filename` of OnExceptionCheckpoint must not be empty");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is saved under no name");
}
