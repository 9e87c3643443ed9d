//! A metric that is logged and never updated: a warning names it, once.

use crate::script::{Script, config, fit};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tch_lightning::metrics::{Accuracy, Sum};
use tch_lightning::prelude::*;
use tracing_subscriber::fmt::MakeWriter;

/// The lines that a run reports.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The warnings of three epochs of training, with a validation and its sanity check, that start with `the metric`.
fn warnings(script: Script) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(lines.clone()).finish();
    let config =
        TrainerConfig { max_epochs: Some(3), limit_val_batches: 1.into(), num_sanity_val_steps: 1, ..config() };
    tracing::subscriber::with_default(subscriber, || fit(config, script).unwrap());
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let warnings = text.lines().filter_map(|line| line.split_once("the metric "));
    warnings.map(|(_, warning)| format!("the metric {warning}")).collect()
}

#[test]
fn metric_that_is_never_updated_is_warned_of_once() {
    let (accuracy, sum, updated) = (Accuracy::binary(), Sum::new(), Sum::new());
    let script = Script::new(2, move |ctx, batch_idx| {
        updated.update(&Tensor::from(batch_idx as f64))?;
        ctx.log("updated", &updated).on_step(false).on_epoch(true);
        ctx.log("sum", &sum).on_step(false).on_epoch(true);
        Ok(())
    });
    let script = script.in_validation(move |ctx, _| {
        ctx.log("val_acc", &accuracy);
        Ok(())
    });
    let warning = |name: &str| {
        format!(
            "the metric `{name}` has no value, as it was logged and never updated: call its `update` in the step, before `ctx.log`"
        )
    };
    // the validation of an epoch ends before the epoch
    assert_eq!(warnings(script), [warning("val_acc"), warning("sum")]);
}
