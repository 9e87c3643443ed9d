//! Where a resumed run begins, and what it had measured until there.

use crate::slope::{Slope, after, alone, config, saves};
use std::path::Path;
use tch_lightning::callbacks::{ExponentialMovingAverage, LambdaCallback};
use tch_lightning::checkpoint::SaveRequest;
use tch_lightning::prelude::*;
use tch_lightning::seed_everything;

#[test]
fn max_steps_within_an_epoch_leaves_its_other_batches_for_the_next_run() {
    let _alone = alone();
    let steps = |steps| TrainerConfig { max_steps: Some(steps), ..config(9) };
    let mut whole = Slope { shuffles: true, ..Slope::new() };
    seed_everything(1);
    Trainer::new(steps(10)).fit(&mut whole, ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let mut first = Slope { shuffles: true, ..Slope::new() };
    seed_everything(1);
    let mut trainer = Trainer::new(steps(5));
    trainer.fit(&mut first, ()).unwrap();
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (2, 5));
    let mut second = Slope { shuffles: true, ..Slope::new() };
    let mut trainer = Trainer::new(steps(10)).ckpt_path(&path);
    trainer.fit(&mut second, ()).unwrap();
    assert_eq!([first.seen, second.seen].concat(), whole.seen);
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (3, 10));
    // a run with the same `max_steps` trains nothing
    let mut third = Slope::new();
    let mut trainer = Trainer::new(steps(5)).ckpt_path(&path);
    trainer.fit(&mut third, ()).unwrap();
    assert!(third.seen.is_empty());
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (2, 5));
}

#[test]
fn epoch_that_was_interrupted_is_ended_if_the_data_has_changed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let steps = |steps| TrainerConfig { max_steps: Some(steps), ..config(9) };
    let mut first = Slope::new();
    let mut trainer = Trainer::new(steps(6));
    trainer.fit(&mut first, ()).unwrap();
    trainer.save_checkpoint(&mut first, (), &path).unwrap();
    let mut grown = Slope { samples: 5, ..Slope::new() };
    let mut trainer = Trainer::new(steps(12)).ckpt_path(&path);
    trainer.fit(&mut grown, ()).unwrap();
    assert_eq!((grown.seen, trainer.context().current_epoch()), (vec![1, 2, 3, 4, 5, 1], 4));
}

#[test]
fn averages_and_logged_values_are_those_of_the_complete_epoch_that_was_interrupted() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.ckpt");
    let run = |steps: i64, after: Option<&Path>| {
        let average = ExponentialMovingAverage::new(0.5).update_every_n_steps(1000).update_starting_at_epoch(0);
        let save = path.clone();
        let saves = LambdaCallback::new().on_train_epoch_end(move |ctx, _: &mut Slope| {
            ctx.save_checkpoint(SaveRequest::new(save.clone()));
            Ok(())
        });
        let mut slope = Slope::new();
        let mut trainer = Trainer::new(TrainerConfig { max_steps: Some(steps), ..config(9) }).callback(average);
        trainer = match after {
            Some(path) => trainer.ckpt_path(path),
            None => trainer.callback(saves),
        };
        trainer.fit(&mut slope, ()).unwrap();
        (slope.value(), trainer.context().callback_metrics()["sample"])
    };
    // the average begins with the weight after the first step, -1, and moves half the way at each end of an epoch: to -10 and to -20
    assert_eq!(run(8, None), (-12.75, 2.5));
    // cut short after 1 + 2 of the second epoch, it moves half the way to -13 as well
    assert_eq!(run(6, None), (-9.25, 1.5));
    assert_eq!(run(8, Some(&path)), (-14.625, 2.5));
}

#[test]
fn checkpoint_requested_before_the_resumed_one_is_restored_is_written_afterwards() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    Trainer::new(config(2)).callback(saves(folder.path())).fit(&mut Slope::new(), ()).unwrap();
    let path = folder.path().join("asked.ckpt");
    for config in [config(2), TrainerConfig { max_steps: Some(3), ..config(2) }] {
        let asked = path.clone();
        let asks = LambdaCallback::new().on_fit_start(move |ctx, _: &mut Slope| {
            ctx.save_checkpoint(SaveRequest::new(asked.clone()));
            Ok(())
        });
        let mut trainer = Trainer::new(config).callback(asks).ckpt_path(after(folder.path(), 3));
        trainer.fit(&mut Slope::new(), ()).unwrap();
        let mut resumed = Slope::new();
        Trainer::new(self::config(2)).ckpt_path(&path).fit(&mut resumed, ()).unwrap();
        assert_eq!((resumed.value(), resumed.seen), (-20.0, vec![4, 1, 2, 3, 4]));
        std::fs::remove_file(&path).unwrap();
    }
}
