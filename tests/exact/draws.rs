//! Random numbers and the orders of samples.

use crate::slope::{Counting, Slope, after, alone, config, saves};
use std::path::PathBuf;
use std::rc::Rc;
use tch_lightning::callbacks::{LambdaCallback, OnExceptionCheckpoint};
use tch_lightning::prelude::*;
use tch_lightning::{Error, seed_everything};

#[test]
fn sampler_with_changing_orders_is_called_once_for_an_epoch() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let counting = || Slope { sampler: Some(Counting(Rc::default())), ..Slope::new() };
    let mut whole = counting();
    Trainer::new(config(2)).callback(saves(folder.path())).fit(&mut whole, ()).unwrap();
    assert_eq!(whole.seen, [1, 2, 3, 4, 2, 3, 4, 1]);
    let mut resumed = counting();
    Trainer::new(config(2)).ckpt_path(after(folder.path(), 1)).fit(&mut resumed, ()).unwrap();
    assert_eq!(resumed.seen, whole.seen[1..]);
    // the sampler of this process does not know that it has dealt an epoch
    let error = Trainer::new(config(2)).ckpt_path(after(folder.path(), 6)).fit(&mut counting(), ()).unwrap_err();
    assert!(error.to_string().contains("it now deals these in another order"), "{error}");
}

#[test]
fn validation_that_draws_and_fails_is_repeated_with_the_same_numbers() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { limit_val_batches: tch_lightning::trainer::BatchLimit::ALL, ..config(2) };
    let slope = |fails_at| Slope { draws: true, fails_at, ..Slope::new() };
    seed_everything(3);
    let mut whole = slope(None);
    Trainer::new(config()).fit(&mut whole, ()).unwrap();
    seed_everything(3);
    let save = OnExceptionCheckpoint::new(folder.path());
    Trainer::new(config()).callback(save.clone()).fit(&mut slope(Some(2)), ()).unwrap_err();
    seed_everything(4);
    let mut resumed = slope(None);
    Trainer::new(config()).ckpt_path(save.ckpt_path()).fit(&mut resumed, ()).unwrap();
    assert_eq!(resumed.value(), whole.value());
}

#[test]
fn epoch_hooks_that_draw_and_fail_are_repeated_with_the_same_numbers() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |fails: bool, at_end: bool, ckpt_path: Option<PathBuf>| {
        let edge = move |epoch: usize| {
            let _ = Tensor::rand([1], (Kind::Float, Device::Cpu));
            if fails && epoch == 1 { bail!("no more") } else { Ok(()) }
        };
        let callback = LambdaCallback::new();
        let callback = if at_end {
            callback.on_train_epoch_end(move |ctx, _: &mut Slope| edge(ctx.current_epoch()))
        } else {
            callback.on_train_epoch_start(move |ctx, _: &mut Slope| edge(ctx.current_epoch()))
        };
        let mut slope = Slope { draws: true, ..Slope::new() };
        let mut trainer =
            Trainer::new(config(3)).callback(callback).callback(OnExceptionCheckpoint::new(folder.path()));
        if let Some(path) = ckpt_path {
            trainer = trainer.ckpt_path(path);
        }
        let outcome: Result<(), Error> = trainer.fit(&mut slope, ());
        (outcome.is_ok(), slope.value())
    };
    for at_end in [false, true] {
        seed_everything(3);
        let whole = run(false, at_end, None);
        seed_everything(3);
        assert!(!run(true, at_end, None).0);
        let path = folder.path().join("kept.ckpt");
        std::fs::rename(OnExceptionCheckpoint::new(folder.path()).ckpt_path(), &path).unwrap();
        seed_everything(4);
        assert_eq!(run(false, at_end, Some(path)), whole, "at the epoch's end: {at_end}");
    }
}

#[test]
fn checkpoint_after_a_validation_has_the_seed_of_the_fit() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let slope = || Slope { shuffles: true, samples: 20, ..Slope::new() };
    seed_everything(1);
    let mut whole = slope();
    Trainer::new(config(2)).fit(&mut whole, ()).unwrap();
    seed_everything(1);
    let mut first = slope();
    let mut trainer = Trainer::new(config(1));
    trainer.fit(&mut first, ()).unwrap();
    seed_everything(2);
    trainer.validate(&mut first, ()).unwrap();
    let path = folder.path().join("validated.ckpt");
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    let mut second = slope();
    Trainer::new(config(2)).ckpt_path(&path).fit(&mut second, ()).unwrap();
    assert_eq!([first.seen, second.seen].concat(), whole.seen);
}
