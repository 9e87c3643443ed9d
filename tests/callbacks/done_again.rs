//! What a run that is resumed after a failure does again, such as the end of an epoch: callbacks count it once.

use crate::model::{Line, config};
use std::path::{Path, PathBuf};
use tch_lightning::callbacks::{
    BackboneFinetuning, EarlyStopping, ExponentialMovingAverage, LambdaCallback, OnExceptionCheckpoint,
    StochasticWeightAveraging,
};
use tch_lightning::optim::Algorithm;
use tch_lightning::prelude::*;

/// Where a run fails, after the callback that is tested.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    EpochStart,
    EpochEnd,
    ValidationEnd,
}

fn line() -> Line {
    Line::normed(Algorithm::from(Sgd::new(0.1)).over("norm.**"))
}

fn epochs(epochs: i64) -> TrainerConfig {
    TrainerConfig { max_epochs: Some(epochs), ..config() }
}

#[test]
fn early_stopping_checks_once_after_a_repeated_batch() {
    let config = || TrainerConfig {
        accumulate_grad_batches: 4,
        val_check_interval: 1.into(),
        limit_val_batches: 1.into(),
        num_sanity_val_steps: 0,
        ..epochs(9)
    };
    // the first check has the best score, and the seventh is the sixth that is not better
    let stopping =
        || EarlyStopping::new("val_loss").patience(6).min_delta(100.0).check_on_train_epoch_end(false).verbose(false);
    let mut whole = Trainer::new(config()).callback(stopping());
    whole.fit(&mut line(), ()).unwrap();
    assert_eq!(whole.context().total_batches(), 7);
    let folder = tempfile::tempdir().unwrap();
    let save = OnExceptionCheckpoint::new(folder.path());
    let fails = LambdaCallback::new().on_train_batch_start(|ctx, _: &mut Line, _, batch_idx| {
        if (ctx.current_epoch(), batch_idx) == (0, 3) { bail!("no more") } else { Ok(()) }
    });
    let mut failed = Trainer::new(config()).callback(stopping()).callback(fails).callback(save.clone());
    failed.fit(&mut line(), ()).unwrap_err();
    let mut resumed = Trainer::new(config()).callback(stopping()).ckpt_path(save.ckpt_path());
    resumed.fit(&mut line(), ()).unwrap();
    assert_eq!(resumed.context().total_batches(), 7);
}

/// Fails at `place` in `epoch`. Returns the checkpoint of the failure.
fn failed(callback: impl Callback<Line> + 'static, place: Place, epoch: usize, folder: &Path) -> PathBuf {
    struct Fail(Place, usize);

    impl Fail {
        fn at(&self, place: Place, epoch: usize) -> Result<()> {
            if (place, epoch) == (self.0, self.1) { bail!("no more") } else { Ok(()) }
        }
    }

    #[lightning_callback]
    impl Fail {
        fn is_monitoring(&self) -> bool {
            true
        }

        fn on_train_epoch_start(&self, ctx: &mut Context) -> Result<()> {
            self.at(Place::EpochStart, ctx.current_epoch())
        }

        fn on_train_epoch_end(&self, ctx: &mut Context) -> Result<()> {
            self.at(Place::EpochEnd, ctx.current_epoch())
        }

        fn on_validation_end(&self, ctx: &mut Context) -> Result<()> {
            self.at(Place::ValidationEnd, ctx.current_epoch())
        }
    }

    let save = OnExceptionCheckpoint::new(folder);
    let path = save.ckpt_path();
    let mut trainer = Trainer::new(epochs(9)).callback(callback).callback(Fail(place, epoch)).callback(save);
    let error = trainer.fit(&mut line(), ()).unwrap_err();
    assert!(error.to_string().contains("no more"), "{error}");
    path
}

#[test]
fn early_stopping_checks_an_epoch_once() {
    // the loss improves by less than 100: training ends after the first epoch and four more
    let stopping = |at_epoch_end| {
        EarlyStopping::new("val_loss").patience(4).min_delta(100.0).check_on_train_epoch_end(at_epoch_end)
    };
    for (at_epoch_end, place) in [(true, Place::EpochEnd), (false, Place::ValidationEnd)] {
        let mut whole = Trainer::new(epochs(9)).callback(stopping(at_epoch_end));
        whole.fit(&mut line(), ()).unwrap();
        assert_eq!(whole.context().current_epoch(), 5);
        for epoch in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let path = failed(stopping(at_epoch_end), place, epoch, folder.path());
            let mut resumed = Trainer::new(epochs(9)).callback(stopping(at_epoch_end)).ckpt_path(path);
            resumed.fit(&mut line(), ()).unwrap();
            assert_eq!(resumed.context().current_epoch(), 5, "{place:?} of epoch {epoch}");
        }
    }
}

/// Asserts that a run that failed at `place` in any of three epochs, and is resumed, ends with the weights of one that did not.
fn assert_resumed<C: Callback<Line> + 'static>(callback: impl Fn() -> C, place: Place) {
    let mut whole = line();
    Trainer::new(epochs(9)).callback(callback()).fit(&mut whole, ()).unwrap();
    for epoch in [1, 2, 5] {
        let folder = tempfile::tempdir().unwrap();
        let path = failed(callback(), place, epoch, folder.path());
        let mut resumed = line();
        Trainer::new(epochs(9)).callback(callback()).ckpt_path(path).fit(&mut resumed, ()).unwrap();
        for (name, tensor) in whole.vs.variables() {
            assert_eq!(resumed.vs.variables()[&name], tensor, "{name}, {place:?} of epoch {epoch}");
        }
    }
}

#[test]
fn epoch_enters_an_exponential_average_once() {
    let average = || ExponentialMovingAverage::new(0.5).update_every_n_steps(0).update_starting_at_epoch(1);
    assert_resumed(average, Place::EpochEnd);
}

#[test]
fn epoch_enters_the_average_of_the_last_epochs_once() {
    assert_resumed(|| StochasticWeightAveraging::new(0.02).swa_epoch_start(2), Place::EpochStart);
}

#[test]
fn rate_of_a_backbone_grows_once_in_an_epoch() {
    let tuned = || BackboneFinetuning::new("layer.**").unfreeze_backbone_at_epoch(1).should_align(false);
    assert_resumed(move || tuned().backbone_initial_lr(0.001), Place::EpochStart);
}
