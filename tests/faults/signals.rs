//! SIGINT and SIGTERM end a run in good order.

use crate::child::{Program, sentence};
use std::os::unix::process::ExitStatusExt;
use std::{fs, thread, time::Duration};
use tch_lightning::checkpoint::Checkpoint;

const ENDLESS: &str = "fit --fault slow --width 3 --max-epochs -1 --log-every-n-steps 1 --enable-progress-bar false";

/// Fails unless every row is whole.
fn assert_whole_log(program: &Program) {
    let log = fs::read_to_string(program.path("lightning_logs/version_0/metrics.csv")).unwrap();
    let columns = log.lines().next().unwrap().split(',').count();
    assert!(log.ends_with('\n') && log.lines().count() > 1, "{log}");
    assert!(log.lines().all(|row| row.split(',').count() == columns), "{log}");
}

#[test]
fn signal_stops_training_after_the_current_step_and_names_how_to_resume() {
    for (signal, code, name) in [("INT", 130, "SIGINT"), ("TERM", 143, "SIGTERM")] {
        let program = Program::new();
        let mut running = program.start(&format!("{ENDLESS} --crashes crashes"));
        (0..7).for_each(|_| running.step());
        running.signal(signal);
        let (status, log) = running.end();
        assert_eq!(status.code(), Some(code), "{log}");
        let said = sentence(&log);
        let place = said.strip_prefix(&format!("interrupted by {name} at ")).unwrap_or_else(|| panic!("{said}"));
        let (place, way_on) = place.split_once(": ").unwrap();
        assert_eq!(way_on, "to continue, run the same command with `--ckpt-path crashes/on_exception.ckpt`");
        assert_whole_log(&program);

        let saved = Checkpoint::read(&program.path("crashes/on_exception.ckpt")).unwrap();
        let batches = saved.metadata.global_step;
        assert!(batches >= 7);
        let (epoch, batch) = ((batches - 1) / 5, (batches - 1) % 5);
        // the signal may have come in the validation that follows an epoch's last batch
        let in_validation = format!(" of the validation in epoch {epoch}");
        let is_right =
            place == format!("epoch {epoch}, batch {batch}") || (batch == 4 && place.ends_with(&in_validation));
        assert!(is_right, "{place}, after {batches} batches");
        let epochs = saved.metadata.epoch + 2;
        program.succeed(&format!(
            "fit --fault none --width 3 --max-epochs {epochs} --ckpt-path crashes/on_exception.ckpt"
        ));
        let last = Checkpoint::read(&newest(&program)).unwrap().metadata;
        assert_eq!(last.global_step, epochs * 5, "no batch is left out, and none comes twice");
    }
}

fn newest(program: &Program) -> std::path::PathBuf {
    let mut files = fs::read_dir(program.path("lightning_logs/version_1/checkpoints")).unwrap();
    files.next().unwrap().unwrap().path()
}

#[test]
fn newest_checkpoint_is_named_if_none_was_written_at_the_end() {
    let program = Program::new();
    let mut running = program.start(ENDLESS);
    // the first epoch's is there
    (0..6).for_each(|_| running.step());
    running.signal("INT");
    let (_, log) = running.end();
    let said = sentence(&log);
    let (lost, told) =
        said.split_once("; to continue, run the same command with `--ckpt-path ").unwrap_or_else(|| panic!("{said}"));
    let told = told.trim_end_matches('`');
    assert!(told.starts_with("./lightning_logs/version_0/checkpoints/epoch="), "{said}");
    let saved = Checkpoint::read(&program.path(told)).unwrap().metadata.global_step;
    let run: serde_json::Value =
        serde_json::from_slice(&fs::read(program.path("lightning_logs/version_0/run.json")).unwrap()).unwrap();
    let steps = match run["steps"].as_u64().unwrap() as usize - saved {
        1 => "1 step since the last checkpoint is lost".to_owned(),
        steps => format!("{steps} steps since the last checkpoint are lost"),
    };
    assert!(lost.ends_with(&format!(": {steps}")), "{steps}: {said}");

    let running = program.start(&format!("{ENDLESS} --enable-checkpointing false"));
    running.signal("INT");
    let said = sentence(&running.end().1);
    let none = |steps: &str| {
        format!(
            ": no checkpoint was written, so {steps} lost; add `OnExceptionCheckpoint`, or `save_on_exception` to \
             `ModelCheckpoint`, to get one"
        )
    };
    let is_of = |batch: &str, steps: &str| said.ends_with(&format!(", batch {batch}{}", none(steps)));
    assert!(is_of("0", "1 step is") || is_of("1", "2 steps are"), "{said}");
}

#[test]
fn signal_ends_the_other_verbs_too() {
    let program = Program::new();
    program.succeed("fit --width 3 --max-epochs 1");
    for verb in ["test", "predict"] {
        let mut running = program.start(&format!("{verb} --fault slow --batches 1000000"));
        running.step();
        running.signal("TERM");
        let (status, log) = running.end();
        assert_eq!(status.code(), Some(143), "{log}");
        let said = sentence(&log);
        let batch = said.strip_prefix("interrupted by SIGTERM at batch ").unwrap_or_else(|| panic!("{said}"));
        assert!(batch.parse::<usize>().unwrap() < 1_000_000);
    }
}

#[test]
fn second_signal_ends_the_program_at_once() {
    let program = Program::new();
    let running = program.start("fit --fault stuck --width 3");
    running.signal("INT");
    // one that comes while the other is handled would be one with it
    thread::sleep(Duration::from_millis(100));
    running.signal("TERM");
    let (status, log) = running.end();
    assert_eq!(status.code(), Some(143), "{log}");
    assert!(!log.contains("error"), "{log}");
}

#[test]
fn signals_have_their_previous_effect_after_a_run() {
    let program = Program::new();
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let running = program.start("train-and-continue");
        running.signal(signal);
        assert_eq!(running.end().0.signal(), Some(number));
    }
}

#[test]
fn signals_can_be_left_to_the_program() {
    let program = Program::new();
    let running = program.start(&format!("{ENDLESS} --handle-signals false"));
    running.signal("INT");
    assert_eq!(running.end().0.signal(), Some(2));
}

#[test]
fn signal_that_was_ignored_before_stays_ignored() {
    let program = Program::new();
    let mut running = program.start_ignoring_sigint(ENDLESS);
    running.signal("INT");
    (0..5).for_each(|_| running.step());
    running.signal("TERM");
    let (status, log) = running.end();
    assert_eq!(status.code(), Some(143), "{log}");
}

/// Interrupts the program once a worker hangs. What it says in the end.
fn interrupted(program: &Program, arguments: &str) -> String {
    // the step that is waited for is the worker's, in its sample
    let running = program.start(&format!("{arguments} --enable-progress-bar false --num-sanity-val-steps 0"));
    thread::sleep(Duration::from_millis(300));
    running.signal("INT");
    let (status, log) = running.end();
    assert_eq!(status.code(), Some(130), "{log}");
    sentence(&log)
}

/// Sample 6 is of batch 3, the second worker's.
#[test]
fn worker_that_hangs_does_not_delay_the_end() {
    let hangs = "while worker 1 of a DataLoader was reading sample 6 of the dataset";
    let program = Program::new().with("HANGS_AT", "6");
    assert_eq!(
        interrupted(&program, "fit --width 3 --crashes crashes"),
        format!(
            "interrupted by SIGINT at epoch 0, batch 2, {hangs}: to continue, run the same command with `--ckpt-path crashes/on_exception.ckpt`"
        )
    );
    let saved = Checkpoint::read(&program.path("crashes/on_exception.ckpt")).unwrap().metadata;
    assert_eq!((saved.epoch, saved.global_step), (0, 3), "the batches before it are done");
    let program = program.with("HANGS_AT", "1000");
    program.succeed("fit --width 3 --max-epochs 1 --ckpt-path crashes/on_exception.ckpt");

    let program = program.with("VALIDATION_HANGS_AT", "6");
    assert_eq!(
        interrupted(&program, "fit --width 3 --crashes crashes"),
        format!(
            "interrupted by SIGINT at batch 2 of the validation in epoch 0, {hangs}: to continue, run the same command with `--ckpt-path \
             crashes/on_exception-v1.ckpt`"
        )
    );
    let program = program.with("HANGS_AT", "6");
    assert_eq!(interrupted(&program, "predict"), format!("interrupted by SIGINT at batch 2, {hangs}"));
}

/// The run ends before it would need the sample.
#[test]
fn worker_that_hangs_is_detached_at_the_end_of_the_run() {
    let program = Program::new().with("HANGS_AT", "6");
    let output = program.run("fit --width 3 --max-epochs 1 --limit-train-batches 2 --enable-progress-bar false");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    let warning = "warning: worker 1 of a DataLoader is still reading sample 6 of the dataset; its thread is abandoned";
    assert!(log.lines().any(|line| line == warning), "{log}");
}

/// The signal comes while the validation works, and not while it waits for data.
#[test]
fn signal_in_validation_names_the_batch_of_the_validation() {
    let program = Program::new().with("SLOW_VALIDATION", "50");
    let arguments = "fit --width 3 --max-epochs -1 --limit-train-batches 1 --enable-progress-bar false";
    let running = program.start(&format!("{arguments} --num-sanity-val-steps 0"));
    running.signal("INT");
    let said = sentence(&running.end().1);
    let place = said.strip_prefix("interrupted by SIGINT at batch ").unwrap_or_else(|| panic!("{said}"));
    assert!(place.contains(" of the validation in epoch 0: "), "{said}");

    let running = program.start(arguments);
    running.signal("INT");
    let said = sentence(&running.end().1);
    assert!(said.starts_with("interrupted by SIGINT at batch ") && said.contains(" of the sanity check: "), "{said}");
}
