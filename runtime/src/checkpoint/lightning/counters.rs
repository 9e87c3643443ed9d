//! The counters of Lightning's loops.
//!
//! [`pytorch_lightning/loops/progress.py`](https://github.com/Lightning-AI/pytorch-lightning/blob/2.6.0/src/lightning/pytorch/loops/progress.py).

use super::value::{Value, dict};
use crate::progress::{Counters, Progress};

const BATCHES: &str = "epoch_loop.batch_progress";
const EPOCHS: &str = "epoch_progress";
/// The names of the counters of batches, of zeroed gradients and of steps.
const BATCH_COUNTS: [&str; 4] = ["ready", "completed", "started", "processed"];
const STEPS_WITH_START: [&str; 3] = ["ready", "completed", "started"];
const STEPS: [&str; 2] = ["ready", "completed"];
const STEPPED: [&str; 2] = ["epoch_loop.state_dict", "_batches_that_stepped"];

/// Returns how far the run is. Where all batches of an epoch are done, Lightning continues with the next epoch, even if the hooks of
/// its end were not called yet when the file was written.
pub(super) fn progress(file: &Value) -> Progress {
    let count = |path: &[&str]| file.at(path).and_then(Value::count);
    let of_fit = |path: &[&str]| count(&[&["loops", "fit_loop"], path].concat());
    let ready = of_fit(&[BATCHES, "current", "ready"]).unwrap_or_default();
    let epochs_ready = of_fit(&[EPOCHS, "current", "ready"]);
    let epochs = of_fit(&[EPOCHS, "current", "completed"]).or_else(|| count(&["epoch"])).unwrap_or_default();
    let is_last_batch = matches!(file.at(&["loops", "fit_loop", BATCHES, "is_last_batch"]), Some(Value::Bool(true)));
    let has_begun = epochs_ready.is_some_and(|begun| begun > epochs) && ready > 0;
    let global_step = count(&["global_step"]).unwrap_or_default();
    Progress::of(Counters {
        epochs: epochs + usize::from(has_begun && is_last_batch),
        global_step,
        batches_that_stepped: of_fit(&STEPPED).unwrap_or(global_step),
        batches_of_epoch: if has_begun && !is_last_batch { ready } else { 0 },
        batches: of_fit(&[BATCHES, "total", "ready"]).unwrap_or_default(),
    })
}

/// Returns the counters of the loops of a run that is this far.
pub(super) fn loops(progress: &Progress) -> Value {
    let Counters { epochs, global_step, batches_that_stepped, batches_of_epoch, batches } =
        progress.counters_of_loops();
    let is_within = batches_of_epoch > 0;
    // Lightning has those of the last epoch after its end
    let of_epoch = if is_within { batches_of_epoch } else { batches.checked_div(epochs).unwrap_or_default() };
    let begun = epochs + usize::from(is_within);
    let both = |counts: &dyn Fn() -> Value| dict([("current", counts()), ("total", counts())]);
    let steps = both(&|| equal(&STEPS, global_step));
    let zeroed = both(&|| equal(&STEPS_WITH_START, global_step));
    let none = || both(&|| equal(&STEPS, 0));
    let epochs = both(&|| {
        let counts = [("ready", begun), ("completed", epochs), ("started", begun), ("processed", epochs)];
        dict(counts.map(|(name, count)| (name, int(count))))
    });
    let fit_loop = dict([
        ("state_dict", empty()),
        (STEPPED[0], dict([(STEPPED[1], int(batches_that_stepped))])),
        (BATCHES, batch_progress(of_epoch, batches, !is_within && batches > 0)),
        ("epoch_loop.scheduler_progress", none()),
        ("epoch_loop.automatic_optimization.state_dict", empty()),
        (
            "epoch_loop.automatic_optimization.optim_progress",
            dict([("optimizer", dict([("step", steps), ("zero_grad", zeroed)]))]),
        ),
        ("epoch_loop.manual_optimization.state_dict", empty()),
        ("epoch_loop.manual_optimization.optim_step_progress", none()),
        ("epoch_loop.val_loop.state_dict", empty()),
        ("epoch_loop.val_loop.batch_progress", batch_progress(0, 0, false)),
        (EPOCHS, epochs),
    ]);
    let evaluation = || dict([("state_dict", empty()), ("batch_progress", batch_progress(0, 0, false))]);
    dict([
        ("fit_loop", fit_loop),
        ("validate_loop", evaluation()),
        ("test_loop", evaluation()),
        ("predict_loop", evaluation()),
    ])
}

fn batch_progress(of_epoch: usize, total: usize, is_last_batch: bool) -> Value {
    dict([
        ("total", equal(&BATCH_COUNTS, total)),
        ("current", equal(&BATCH_COUNTS, of_epoch)),
        ("is_last_batch", Value::Bool(is_last_batch)),
    ])
}

/// Counters with these names, all of which have come as far.
fn equal(names: &[&str], count: usize) -> Value {
    dict(names.iter().map(|name| (*name, int(count))))
}

fn empty() -> Value {
    dict([])
}

fn int(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
