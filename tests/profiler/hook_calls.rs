//! The file of `--trace-hooks`.

use std::fs;
use std::process::Command;
use tch_lightning::prelude::*;
use tests::profiler::model::{DataHparams, Hparams, Line, Rows};

/// Each line's columns.
fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn trace_of_hooks_has_a_line_for_each_call_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hooks.tsv");
    let config = TrainerConfig::default()
        .max_epochs(1)
        .limit_train_batches(1)
        .num_sanity_val_steps(0_i64)
        .enable_progress_bar(false)
        .enable_model_summary(false)
        .enable_checkpointing(false)
        .default_root_dir(folder.path())
        .trace_hooks(path.clone());
    let (mut model, mut data) = (Line::new(Hparams::default()), Rows(DataHparams { read: 0, workers: 0 }));
    Trainer::new(config).fit(&mut model, &mut data).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let lines = lines(&text);
    assert_eq!(lines[0], ["stage", "epoch", "batch", "owner", "hook"]);
    let (module, data) = ("[LightningModule]Line", "[LightningDataModule]Rows");
    // the order of Lightning's loops; hooks that are not overridden and do nothing are not called
    let expected = [
        ["train", "-", "-", module, "configure_callbacks"],
        ["train", "-", "-", data, "setup"],
        ["train", "-", "-", module, "configure_optimizers"],
        ["train", "-", "-", data, "train_dataloader"],
        ["train", "-", "-", data, "val_dataloader"],
        ["train", "0", "-", module, "on_train_epoch_start"],
        ["train", "0", "0", module, "transfer_batch_to_device"],
        ["train", "0", "0", module, "optimizer_step"],
        ["train", "0", "0", module, "training_step"],
        ["train", "0", "0", module, "optimizer_zero_grad"],
        ["train", "0", "0", module, "backward"],
        ["train", "0", "0", module, "configure_gradient_clipping"],
        ["train", "0", "0", module, "on_train_batch_end"],
        ["validate", "0", "-", module, "on_validation_model_zero_grad"],
        ["validate", "0", "0", module, "transfer_batch_to_device"],
        ["validate", "0", "0", module, "validation_step"],
        ["validate", "0", "1", module, "transfer_batch_to_device"],
        ["validate", "0", "1", module, "validation_step"],
    ];
    assert_eq!(lines[1..], expected.map(Vec::from));
}

#[test]
fn trace_of_hooks_ends_with_the_hook_that_was_running() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_profiled"));
    // killed within the first step, which takes a minute
    program.args("fit --max-epochs 1 --step 60000 --trace-hooks hooks.tsv --enable-progress-bar false".split(' '));
    let mut child = program.current_dir(&folder).stderr(std::process::Stdio::null()).spawn().unwrap();
    let path = folder.path().join("hooks.tsv");
    let began = std::time::Instant::now();
    let last = loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let last = text.lines().last().unwrap_or_default().to_owned();
        if last.ends_with("\ttraining_step") || began.elapsed().as_secs() > 30 {
            break last;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(last, "train\t0\t0\t[LightningModule]Line\ttraining_step");
}

#[test]
fn trace_of_hooks_that_cannot_be_written_is_an_error() {
    let config = TrainerConfig::default().trace_hooks(std::path::PathBuf::from("/missing/hooks.tsv"));
    let (mut model, mut data) = (Line::new(Hparams::default()), Rows(DataHparams { read: 0, workers: 0 }));
    let error = Trainer::new(config).fit(&mut model, &mut data).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the trace of hooks /missing/hooks.tsv: "), "{error}");
}
