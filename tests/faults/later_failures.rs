//! What fails after the error that ends a run is a warning: the error stays the run's own, and its checkpoint is written.

use tch_lightning::prelude::*;
use tch_lightning::{
    RunContext,
    callbacks::{LambdaCallback, OnExceptionCheckpoint},
    loggers::{CsvLogger, LoggedAt, Logger, Record, RunStatus},
};
use tests::faults::{Events, Net, config};

/// Fails in one of its methods once a run has failed.
struct FailsAfter {
    method: &'static str,
    panics: bool,
    has_failed: Events,
}

impl FailsAfter {
    fn call(&self, method: &str) -> Result<()> {
        if method != self.method || self.has_failed.all().is_empty() {
            return Ok(());
        }
        assert!(!self.panics, "no more of it");
        bail!("no more of it")
    }
}

impl Logger for FailsAfter {
    fn log(&mut self, record: &Record<'_>, _: &LoggedAt) -> Result<()> {
        let Record::Scalars(_) = record else { return Ok(()) };
        self.call("log_metrics")
    }

    fn save(&mut self) -> Result<()> {
        self.call("save")
    }

    fn state_dict(&self) -> serde_json::Value {
        self.call("state_dict").unwrap();
        3.into()
    }

    fn finalize(&mut self, _: RunStatus) -> Result<()> {
        self.call("finalize")
    }
}

impl Callback<Net> for FailsAfter {
    fn name(&self) -> &'static str {
        self.call("name").unwrap();
        "FailsAfter"
    }

    fn state_key(&self) -> String {
        self.call("state_key").unwrap();
        "FailsAfter".to_owned()
    }

    fn instance_key(&self) -> String {
        self.call("instance_key").unwrap();
        String::new()
    }
}

/// A run that fails, and what it leaves of its own error and its checkpoint.
fn failing_with(
    add: impl FnOnce(Trainer<Net>, Events) -> Trainer<Net>,
    fault: impl FnMut(&mut RunContext, Tensor) -> Result<Tensor> + 'static,
) -> (String, Option<Checkpoint>) {
    let folder = tempfile::tempdir().unwrap();
    let mut net = Net::new(fault);
    let save = OnExceptionCheckpoint::new(folder.path());
    let config = TrainerConfig { default_root_dir: folder.path().join("runs"), ..config() };
    let has_failed = Events::default();
    let tell = has_failed.clone();
    let telling = LambdaCallback::new().on_exception(move |_, _: &mut Net, _| {
        tell.tell("failed");
        Ok(())
    });
    let trainer = Trainer::new(config).callback(telling).callback(save.clone());
    let said = add(trainer, has_failed).fit(&mut net, ()).unwrap_err().to_string();
    (said, save.ckpt_path().exists().then(|| Checkpoint::read(&save.ckpt_path()).unwrap()))
}

fn no_labels(ctx: &mut RunContext, loss: Tensor) -> Result<Tensor> {
    if ctx.global_step() == 8 { bail!("no labels") } else { Ok(loss) }
}

const NO_LABELS: &str = "`training_step` failed in `fit` at epoch 1, batch 2: no labels";

#[test]
fn loggers_that_fail_after_the_run_hide_neither_its_error_nor_its_checkpoint() {
    for (method, panics) in
        [("save", false), ("save", true), ("state_dict", true), ("finalize", false), ("finalize", true)]
    {
        let add = |trainer: Trainer<Net>, has_failed| trainer.logger(FailsAfter { method, panics, has_failed });
        let (said, saved) = failing_with(add, no_labels);
        assert_eq!(said, NO_LABELS, "{method}");
        assert_eq!(saved.map(|saved| saved.metadata.global_step), Some(8), "{method}");
    }
}

#[test]
fn log_that_is_gone_does_not_keep_a_run_that_fails_from_its_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let logs = root.path().join("lightning_logs");
    let add = |trainer: Trainer<Net>, _| trainer.logger(CsvLogger::new(&logs));
    let removed = logs.clone();
    let (said, saved) = failing_with(add, move |ctx, loss| {
        ctx.log_to_loggers(&[("loss".to_owned(), 1.0)], ctx.global_step())?;
        if ctx.global_step() == 8 {
            std::fs::remove_dir_all(&removed).unwrap();
        }
        no_labels(ctx, loss)
    });
    assert_eq!(said, NO_LABELS);
    assert_eq!(saved.map(|saved| saved.metadata.global_step), Some(8));
}

#[test]
fn callbacks_that_panic_after_the_run_do_not_hide_its_error() {
    for method in ["name", "state_key", "instance_key"] {
        let add = |trainer: Trainer<Net>, has_failed| trainer.callback(FailsAfter { method, panics: true, has_failed });
        let (said, saved) = failing_with(add, no_labels);
        assert_eq!(said, NO_LABELS, "{method}");
        // without its callbacks' states, a checkpoint would be another run's
        assert_eq!(saved.is_some(), method == "instance_key", "{method}");
    }
}
