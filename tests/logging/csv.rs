//! `CsvLogger`: which rows are in the file, after any number of runs, resumes and kills.

use crate::script::{Script, config};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{
    callbacks::{LambdaCallback, LearningRateMonitor, OnExceptionCheckpoint},
    checkpoint::SaveRequest,
    loggers::{CsvLogger, LoggedAt, Logger, Record, RunStart, RunStatus},
    trainer::ValCheckInterval,
};

/// What is logged in every way: by the step and the epoch, in validation, by a callback, and under a name that comes late.
fn script() -> Script {
    Script::new(6, |ctx, batch_idx| {
        let batches = ctx.total_batches();
        ctx.log("loss", 1.0 / batches as f64).on_epoch(true);
        if batches > 8 {
            ctx.log("late, and quoted", batch_idx);
        }
        Ok(())
    })
    .at_epoch_end(|ctx| {
        let epoch = ctx.current_epoch() as f64;
        ctx.log("epoch_end", epoch);
        Ok(())
    })
    .in_validation(|ctx, batch_idx| {
        ctx.log("val_loss", batch_idx).on_step(true).on_epoch(true);
        Ok(())
    })
}

fn epochs(epochs: i64) -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(epochs),
        accumulate_grad_batches: 2,
        limit_val_batches: 2.into(),
        num_sanity_val_steps: 0,
        val_check_interval: ValCheckInterval::Every(tch_lightning::Every::Batches(3)),
        ..config()
    }
}

fn trainer(logs: &Path) -> Trainer<Script> {
    Trainer::new(epochs(2)).logger(CsvLogger::new(logs)).callback(LearningRateMonitor::new())
}

fn file(logs: &Path) -> String {
    fs::read_to_string(logs.join("metrics.csv")).unwrap()
}

/// Asks for a checkpoint in every hook around a batch, a validation and an epoch.
fn saving(folder: &Path) -> LambdaCallback<Script> {
    let save = |folder: &Path, hook: &'static str| {
        let (folder, mut number) = (folder.to_owned(), 0);
        move |ctx: &mut tch_lightning::RunContext| {
            number += 1;
            ctx.save_checkpoint(SaveRequest::new(folder.join(format!("{hook}-{number}.ckpt"))));
            Ok(())
        }
    };
    let (mut batch, mut validation, mut epoch) =
        (save(folder, "batch"), save(folder, "validation"), save(folder, "epoch"));
    LambdaCallback::new()
        .on_train_batch_end(move |ctx, _, _, _, _| batch(ctx))
        .on_validation_end(move |ctx, _| validation(ctx))
        .on_train_epoch_end(move |ctx, _| epoch(ctx))
}

fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "ckpt")).collect()
}

#[test]
fn resumed_run_continues_the_file_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    trainer(&logs).callback(saving(folder.path())).fit(&mut script(), ()).unwrap();
    let whole = file(&logs);
    // the learning rates of 12 batches and 2 epochs, 6 steps, 4 validations of 2 batches and an epoch, 2 epochs, and the header
    assert_eq!(whole.lines().count(), 14 + 6 + 4 * 3 + 2 + 1, "{whole}");
    let checkpoints = checkpoints(folder.path());
    assert_eq!(checkpoints.len(), 12 + 4 + 2);
    for checkpoint in &checkpoints {
        // the folder has all rows of the run that was not interrupted, or those of a run that was killed in a row
        let is_over = checkpoint.ends_with("epoch-2.ckpt");
        for torn in ["", "5,1,0.0", "5"].into_iter().filter(|torn| torn.is_empty() || !is_over) {
            fs::write(logs.join("metrics.csv"), format!("{whole}{torn}")).unwrap();
            trainer(&logs).ckpt_path(checkpoint).fit(&mut script(), ()).unwrap();
            assert_eq!(file(&logs), whole, "after {}, with {torn:?}", checkpoint.display());
        }
    }
}

#[test]
fn run_that_failed_anywhere_continues_the_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("whole");
    // the epoch's mean would count the batches twice that are done again
    let script = || {
        Script::new(6, |ctx, batch_idx| {
            ctx.log("batch_idx", batch_idx);
            Ok(())
        })
        .in_validation(|ctx, batch_idx| {
            ctx.log("val_loss", batch_idx).on_step(true).on_epoch(true);
            Ok(())
        })
    };
    trainer(&logs).fit(&mut script(), ()).unwrap();
    let whole = file(&logs);
    for hook in
        ["on_train_batch_start", "on_before_zero_grad", "validation_step", "on_train_epoch_start", "on_train_epoch_end"]
    {
        for nth in 1..=12 {
            let logs = folder.path().join(format!("{hook}-{nth}"));
            let seen = Rc::new(RefCell::new(0));
            let fails = move || -> Result<()> {
                *seen.borrow_mut() += 1;
                if *seen.borrow() == nth { bail!("enough") } else { Ok(()) }
            };
            let callback = LambdaCallback::new();
            let callback = match hook {
                "on_train_batch_start" => callback.on_train_batch_start(move |_, _: &mut Script, _, _| fails()),
                "on_before_zero_grad" => callback.on_before_zero_grad(move |_, _, _| fails()),
                "validation_step" => callback.on_validation_batch_end(move |_, _, _, _, _, _| fails()),
                "on_train_epoch_start" => callback.on_train_epoch_start(move |_, _| fails()),
                _ => callback.on_train_epoch_end(move |_, _| fails()),
            };
            let save = OnExceptionCheckpoint::new(&logs);
            let failed = trainer(&logs).callback(callback).callback(save.clone()).fit(&mut script(), ());
            if failed.is_ok() {
                continue;
            }
            trainer(&logs).ckpt_path(save.ckpt_path()).fit(&mut script(), ()).unwrap();
            assert_eq!(file(&logs), whole, "{hook} {nth}");
        }
    }
}

/// The steps of a file's rows.
fn steps(logs: &Path) -> Vec<usize> {
    file(logs).lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap()).collect()
}

fn short() -> Script {
    Script::new(2, |ctx, _| {
        ctx.log("loss", 0.5);
        Ok(())
    })
    .in_validation(|ctx, _| {
        ctx.log("val_loss", 0.25);
        Ok(())
    })
}

#[test]
fn rows_of_further_runs_and_evaluations_are_appended() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path();
    let mut trainer = Trainer::new(config()).logger(CsvLogger::new(logs));
    trainer.fit(&mut short(), ()).unwrap();
    assert_eq!(steps(logs), [0, 1]);
    // the folds of a cross-validation
    trainer.fit(&mut short(), ()).unwrap();
    assert_eq!(steps(logs), [0, 1, 0, 1]);
    let validating = || TrainerConfig { limit_val_batches: 1.0.into(), ..config() };
    let mut trainer = Trainer::new(validating()).logger(CsvLogger::new(logs));
    trainer.validate(&mut short(), ()).unwrap();
    assert_eq!(steps(logs), [0, 1, 0, 1, 0], "by a logger of another program");
    // after a kill within a row
    fs::write(logs.join("metrics.csv"), format!("{}1,0", file(logs))).unwrap();
    Trainer::new(validating()).logger(CsvLogger::new(logs)).validate(&mut short(), ()).unwrap();
    assert_eq!(file(logs), "step,epoch,loss,val_loss\n0,0,0.5,\n1,0,0.5,\n0,0,0.5,\n1,0,0.5,\n0,0,,0.25\n0,0,,0.25\n");
    // a training from the beginning, by another program
    Trainer::new(config()).logger(CsvLogger::new(logs)).fit(&mut short(), ()).unwrap();
    assert_eq!(file(logs), "step,epoch,loss\n0,0,0.5\n1,0,0.5\n");
}

#[test]
fn fold_that_is_resumed_keeps_the_previous_folds() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let mut folds = trainer(&logs);
    folds.fit(&mut script(), ()).unwrap();
    let mut folds = folds.callback(saving(folder.path()));
    folds.fit(&mut script(), ()).unwrap();
    let whole = file(&logs);
    for checkpoint in checkpoints(folder.path()) {
        trainer(&logs).ckpt_path(&checkpoint).fit(&mut script(), ()).unwrap();
        assert_eq!(file(&logs), whole, "after {}", checkpoint.display());
    }
    // by the same logger
    let checkpoint = folder.path().join("batch-5.ckpt");
    folds.ckpt_path(&checkpoint).fit(&mut script(), ()).unwrap();
    assert_eq!(file(&logs), whole);
}

#[test]
fn run_that_is_resumed_into_another_folder_is_continued_there() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, others) = (folder.path().join("logs"), folder.path().join("others"));
    trainer(&logs).callback(saving(folder.path())).fit(&mut script(), ()).unwrap();
    let whole = file(&logs);
    let (first, later) = (folder.path().join("batch-3.ckpt"), folder.path().join("later"));
    trainer(&others).callback(saving(&later)).ckpt_path(first).fit(&mut script(), ()).unwrap();
    let rest = file(&others);
    assert!(rest.lines().skip(1).count() < whole.lines().skip(1).count());
    for checkpoint in checkpoints(&later) {
        trainer(&others).ckpt_path(&checkpoint).fit(&mut script(), ()).unwrap();
        assert_eq!(file(&others), rest, "after {}", checkpoint.display());
    }
}

#[test]
fn run_that_cannot_be_resumed_does_not_change_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    trainer(&logs).callback(saving(folder.path())).fit(&mut script(), ()).unwrap();
    let whole = file(&logs);
    let checkpoint = folder.path().join("batch-2.ckpt");
    let refusing = LambdaCallback::new().on_load_checkpoint(|_, _: &mut Script, _| bail!("of another kind"));
    assert!(trainer(&logs).callback(refusing).ckpt_path(&checkpoint).fit(&mut script(), ()).is_err());
    assert_eq!(file(&logs), whole);
}

#[test]
fn file_of_another_program_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    trainer(&logs).callback(saving(folder.path())).fit(&mut script(), ()).unwrap();
    fs::write(logs.join("metrics.csv"), "name,score\na,1\n").unwrap();
    let mut trainer = trainer(&logs).ckpt_path(folder.path().join("batch-2.ckpt"));
    let said = trainer.fit(&mut script(), ()).unwrap_err().to_string();
    let path = logs.join("metrics.csv");
    assert!(
        said.starts_with(&format!(
            "the logger `csv` failed in `fit`: cannot continue the log {}: it has no column `step`",
            path.display()
        )),
        "{said}"
    );
    assert_eq!(file(&logs), "name,score\na,1\n");
}

/// A logger that tells what it is asked for, and how many checkpoints there are then.
struct Told {
    events: Rc<RefCell<Vec<String>>>,
    folder: PathBuf,
}

impl Told {
    fn tell(&self, event: impl Into<String>) -> anyhow::Result<()> {
        self.events.borrow_mut().push(format!("{}, {} checkpoints", event.into(), checkpoints(&self.folder).len()));
        Ok(())
    }
}

impl Logger for Told {
    fn begin(&mut self, run: &RunStart) -> anyhow::Result<()> {
        let resumed = run.resumed.as_ref();
        let resumed = resumed
            .map(|resumed| format!(" after {} rows at step {} with {}", resumed.rows, resumed.step, resumed.state));
        self.tell(format!("{}{}", run.stage, resumed.unwrap_or_default()))
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(_) = record else { return Ok(()) };
        let step = at.step;
        self.tell(format!("row {step}"))
    }

    fn save(&mut self) -> anyhow::Result<()> {
        self.tell("save")
    }

    fn state_dict(&self) -> serde_json::Value {
        self.events.borrow().len().into()
    }

    fn finalize(&mut self, status: RunStatus) -> anyhow::Result<()> {
        self.tell(format!("{status:?}"))
    }
}

#[test]
fn logger_begins_each_run_and_saves_before_each_checkpoint() {
    for async_checkpointing in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let events = Rc::default();
        let told = || Told { events: Rc::clone(&events), folder: folder.path().to_owned() };
        let config = || TrainerConfig { async_checkpointing, ..config() };
        let path = folder.path().join("one.ckpt");
        let to = path.clone();
        let save = LambdaCallback::new().on_train_batch_end(move |ctx, _: &mut Script, _, _, batch_idx| {
            if batch_idx == 0 {
                ctx.save_checkpoint(SaveRequest::new(to.clone()));
            }
            Ok(())
        });
        Trainer::new(config()).logger(told()).callback(save).fit(&mut short(), ()).unwrap();
        let told_of_first: Vec<String> = events.take();
        assert_eq!(told_of_first[..3], ["fit, 0 checkpoints", "row 0, 0 checkpoints", "save, 0 checkpoints"]);
        assert_eq!(told_of_first.last().unwrap(), "Success, 1 checkpoints");
        let mut trainer = Trainer::new(config()).logger(told()).ckpt_path(&path);
        trainer.fit(&mut short(), ()).unwrap();
        assert_eq!(events.borrow()[0], "fit after 1 rows at step 0 with 3, 1 checkpoints");
        assert_eq!(events.take()[1], "row 1, 1 checkpoints");
    }
}
