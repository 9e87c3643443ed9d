//! Resumed runs that have to know more than the counters.

use crate::model::{Line, every, file, fit, quiet, trainer};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{LrSchedulerConfig, ReduceLrOnPlateau};
use tch_lightning::{
    Every,
    callbacks::{EarlyStopping, LambdaCallback, OnExceptionCheckpoint, ThroughputMonitor},
    loggers::{LoggedAt, Logger, Record},
    trainer::{EndReason, ValCheckInterval},
};

#[test]
fn validation_that_is_due_where_the_checkpoint_was_written_is_not_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig {
        val_check_interval: ValCheckInterval::Every(Every::OptimizerSteps(3)),
        check_val_every_n_epoch: None,
        ..quiet()
    };
    let mut line = Line::new();
    fit(&mut trainer(config(), &line).callback(every(folder.path(), Every::OptimizerSteps(1))), &mut line);
    assert_eq!(line.events.of("validation"), ["0 at 3", "1 at 6"]);
    let mut line = Line::new();
    fit(&mut trainer(config(), &line).ckpt_path(file(folder.path(), 0, 3)), &mut line);
    assert_eq!(line.events.of("validation"), ["0 at 3", "1 at 6"]);
    let mut line = Line::new();
    fit(&mut trainer(config(), &line).ckpt_path(file(folder.path(), 1, 5)), &mut line);
    assert_eq!(line.events.of("validation"), ["1 at 6"]);
}

#[test]
fn early_stopping_that_waits_for_min_epochs_is_not_forgotten() {
    // it asks to stop after the third epoch, and the loss improves afterwards
    let losses = || vec![3.0, 4.0, 5.0, 2.0, 1.0, 0.5, 0.4, 0.3];
    let config = || TrainerConfig { max_epochs: Some(10), min_epochs: Some(6), ..quiet() };
    let folder = tempfile::tempdir().unwrap();
    let stopping = || EarlyStopping::new("val_loss").patience(2);
    let mut line = Line { val_losses: losses(), ..Line::new() };
    let mut whole = trainer(config(), &line).callback(stopping()).callback(every(folder.path(), Every::Epochs(1)));
    let reason = fit(&mut whole, &mut line);
    assert_eq!(whole.context().current_epoch(), 6);
    let mut line = Line { val_losses: losses(), validations: 5, ..Line::new() };
    let mut resumed = trainer(config(), &line).callback(stopping()).ckpt_path(file(folder.path(), 4, 20));
    assert_eq!(fit(&mut resumed, &mut line), reason);
    assert_eq!(resumed.context().current_epoch(), 6);
}

#[test]
fn loaders_are_made_again_in_the_epochs_of_the_run_that_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { max_epochs: Some(6), reload_dataloaders_every_n_epochs: 2, ..quiet() };
    let mut line = Line::new();
    fit(&mut trainer(config(), &line).callback(every(folder.path(), Every::Epochs(1))), &mut line);
    assert_eq!(line.events.of("train_dataloader"), ["0", "2", "4"]);
    let mut line = Line::new();
    fit(&mut trainer(config(), &line).ckpt_path(file(folder.path(), 0, 4)), &mut line);
    // it needs loaders of its own in epoch 1
    assert_eq!(line.events.of("train_dataloader"), ["1", "2", "4"]);
    assert_eq!(line.events.of("val_dataloader"), ["1", "2", "4"]);
}

#[test]
fn accumulation_that_a_hook_has_set_is_resumed_within_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let accumulates =
        || LambdaCallback::new().on_train_epoch_start(|ctx, _: &mut Line| Ok(ctx.set_accumulate_grad_batches(2)?));
    let mut line = Line::new();
    let mut whole = trainer(quiet(), &line).callback(accumulates());
    fit(&mut whole.callback(every(folder.path(), Every::Batches(1)).filename("{epoch}-{step}")), &mut line);
    let mut line = Line::new();
    whole = trainer(quiet(), &line).callback(accumulates()).ckpt_path(file(folder.path(), 0, 1));
    fit(&mut whole, &mut line);
    assert_eq!(whole.context().global_step(), 4);
}

#[test]
fn throughput_continues_from_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { log_every_n_steps: 1, ..quiet() };
    let mut line = Line::new();
    let monitored = trainer(config(), &line).callback(ThroughputMonitor::new());
    fit(&mut monitored.callback(every(folder.path(), Every::Epochs(1))), &mut line);
    let mut line = Line::new();
    let resumed = trainer(config(), &line).callback(ThroughputMonitor::new());
    fit(&mut resumed.ckpt_path(file(folder.path(), 0, 4)), &mut line);
    let rows = line.events.of("row");
    let batches = rows.iter().filter_map(|row| row.split(' ').find_map(|value| value.strip_prefix("train/batches=")));
    assert_eq!(batches.collect::<Vec<_>>(), ["5", "6", "7", "8"]);
}

#[test]
fn validate_and_test_say_how_far_the_checkpoint_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut line = Line::new();
    fit(&mut trainer(quiet(), &line).callback(every(folder.path(), Every::Epochs(1))), &mut line);
    let mut line = Line::new();
    let mut trainer = trainer(quiet(), &line).ckpt_path(file(folder.path(), 1, 8));
    trainer.test(&mut line, ()).unwrap();
    assert_eq!(line.events.of("test"), ["2 at 8"; 2]);
    assert_eq!(line.events.of("row"), ["8 test_loss=0 epoch=2".replace("=0", &row_value(&line, "test_loss"))]);
    let mut trainer = crate::model::trainer(quiet(), &line).ckpt_path(file(folder.path(), 0, 4));
    trainer.validate(&mut line, ()).unwrap();
    assert_eq!(line.events.of("validation"), ["1 at 4"]);
}

/// `=value` of a name in the last row.
fn row_value(line: &Line, name: &str) -> String {
    let row = line.events.of("row").pop().unwrap();
    row.split(' ').find_map(|value| value.strip_prefix(name)).unwrap().to_owned()
}

/// A logger that fails at the row of an epoch's end.
struct Broken(usize);

impl Logger for Broken {
    fn log(&mut self, record: &Record<'_>, _: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let is = |name: &str, value: f64| metrics.iter().any(|(other, number)| other == name && *number == value);
        match is("epoch", self.0 as f64) && is("ends", 1.0) {
            true => Err(anyhow!("no more")),
            false => Ok(()),
        }
    }
}

#[test]
fn scheduler_steps_once_at_the_end_of_an_epoch() {
    // the loss never improves: the third epoch after the first halves the rate, and the sixth would again
    let plateau = || ReduceLrOnPlateau::default().patience(2).factor(0.5);
    let line = || Line {
        optimizer: Sgd::new(1.0).lr_scheduler(LrSchedulerConfig::from(plateau()).monitor("val_loss")),
        ..Line::new()
    };
    let ends = || LambdaCallback::new().on_train_epoch_end(|ctx, _: &mut Line| drop(ctx.log("ends", 1.0)));
    let config = || TrainerConfig { max_epochs: Some(6), ..quiet() };
    let rate = |trainer: &Trainer<Line>| trainer.context().optimizers()[0].lr();
    let mut module = line();
    let mut whole = trainer(config(), &module).callback(ends());
    fit(&mut whole, &mut module);
    assert_eq!(rate(&whole), 0.5);
    for epoch in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let save = OnExceptionCheckpoint::new(folder.path());
        let path = save.ckpt_path();
        let mut failed = Trainer::new(config()).callback(ends()).callback(save).logger(Broken(epoch));
        assert!(failed.fit(&mut line(), ()).unwrap_err().to_string().contains("no more"));
        let mut module = line();
        let mut resumed = trainer(config(), &module).callback(ends()).ckpt_path(path);
        fit(&mut resumed, &mut module);
        assert_eq!(rate(&resumed), 0.5, "failed at the end of epoch {epoch}");
    }
}

#[test]
fn run_that_is_complete_is_not_trained_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut line = Line::new();
    fit(&mut trainer(quiet(), &line).callback(every(folder.path(), Every::Epochs(1))), &mut line);
    let config = TrainerConfig { default_root_dir: folder.path().to_owned(), logger: true.into(), ..quiet() };
    let mut line = Line::new();
    let mut resumed = Trainer::new(config).ckpt_path(file(folder.path(), 1, 8));
    assert_eq!(fit(&mut resumed, &mut line), EndReason::MaxEpochs(2));
    assert!(line.events.of("batch").is_empty());
    assert!(!folder.path().join("lightning_logs").exists(), "a run without a row leaves no folder");
}
