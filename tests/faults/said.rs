//! What a program says of a run: why it ended, and what it did not do.

use crate::child::{Program, text};

/// The lines on stderr of a run that ends well, without those of its epochs, its folder and its checkpoint.
fn said(program: &Program, arguments: &str) -> Vec<String> {
    let output =
        program.run(&format!("fit --width 1 --enable-progress-bar false --enable-model-summary false {arguments}"));
    let log = text(output.stderr);
    assert!(output.status.success(), "{log}");
    let lines =
        log.lines().filter(|line| !line.starts_with("the run's folder is ") && !line.starts_with("checkpoint: "));
    lines.map(str::to_owned).collect()
}

const RARE: &str = "warning: `log_every_n_steps` is 50, but an epoch has 5 steps: most epochs would not write a row; set it to 5 or \
                    less";

#[test]
fn program_says_why_its_run_ended() {
    let program = Program::new();
    let every_step = "--log-every-n-steps 1";
    assert_eq!(
        said(&program, &format!("{every_step} --max-epochs 1")),
        ["training ended after 1 epoch and 5 steps: `max_epochs` of 1 was reached"]
    );
    assert_eq!(
        said(&program, &format!("{every_step} --max-steps 7")),
        ["training ended within epoch 1, after 7 steps: `max_steps` of 7 was reached"]
    );
    // the losses are of the layer's own outputs, which a rate of 0 leaves as they are
    let stopped = said(&program, &format!("{every_step} --lr 0 --early-stopping val_loss --max-epochs 9"));
    let [line] = stopped.as_slice() else { panic!("{stopped:?}") };
    let reason = "training ended after 3 epochs and 15 steps: EarlyStopping: `val_loss` did not improve in 2 checks; its best was ";
    assert!(line.starts_with(reason), "{line}");
    let resumed = said(
        &program,
        "--max-epochs 1 --log-every-n-steps 1 --ckpt-path lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt",
    );
    assert_eq!(
        resumed,
        ["there is nothing left to train: `max_epochs` of 1 was reached, in the run that \
          lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt is from"]
    );
    // neither does it leave a folder
    assert!(!program.path("lightning_logs/version_3").exists());
}

#[test]
fn program_warns_about_settings_without_effect() {
    let program = Program::new();
    assert_eq!(said(&program, "--max-epochs 1")[0], RARE);
    let every_two = "--max-epochs 1 --log-every-n-steps 1 --check-val-every-n-epoch 2";
    let warned = said(&program, &format!("{every_two} --early-stopping val_loss"));
    assert_eq!(
        warned[0],
        "warning: EarlyStopping never checked `val_loss`: it checks after validation, and no validation has run; set \
         `check_on_train_epoch_end` to check after each training epoch"
    );
    assert_eq!(
        warned.last().unwrap(),
        "warning: this run saved no checkpoint: none was due, or none was among the best"
    );
}

#[test]
fn resumed_run_does_not_repeat_the_warnings_of_the_previous_run() {
    let program = Program::new();
    let every_two = "--log-every-n-steps 1 --check-val-every-n-epoch 2 --early-stopping val_loss";
    said(&program, &format!("{every_two} --max-epochs 2"));
    let checkpoint = "--ckpt-path lightning_logs/version_0/checkpoints/epoch=1-step=10.ckpt";
    // its one epoch has no validation
    assert_eq!(
        said(&program, &format!("{every_two} --max-epochs 3 {checkpoint}")),
        ["training ended after 3 epochs and 15 steps: `max_epochs` of 3 was reached"]
    );
}

#[test]
fn metric_that_a_resumed_run_does_not_log_is_a_warning() {
    let program = Program::new().with("METRIC_AT", "0");
    let fit = "--log-every-n-steps 1 --max-epochs 1";
    said(&program, &format!("{fit} --keeps kept"));
    let resumed = |step: usize| said(&program, &format!("{fit} --ckpt-path kept/epoch=0-step={step}.ckpt"));
    let ended = "training ended after 1 epoch and 5 steps: `max_epochs` of 1 was reached";
    let warning = "warning: the value of the metric `metric` only covers the batches before the checkpoint, as it was not logged \
                   after the run was resumed: log it in every step";
    for step in [1, 2, 4] {
        assert_eq!(resumed(step), [warning, ended], "after step {step}");
    }
    // the end of the epoch alone is left, and no batch is missing
    assert_eq!(resumed(5), [ended]);
}

#[test]
fn test_takes_the_checkpoint_that_the_modules_own_callback_wrote() {
    let program = Program::new();
    program.succeed("fit --width 1 --max-epochs 1");
    program.succeed("fit --width 1 --max-epochs 2 --keeps kept");
    let output = program.log("test");
    let checkpoint = output.lines().next().unwrap();
    assert!(checkpoint.ends_with("/kept/epoch=1-step=10.ckpt"), "{output}");
    assert!(!program.path("lightning_logs/version_1/checkpoints").exists());
}

#[test]
fn run_without_batches_is_not_mistaken_for_the_run_that_it_continues() {
    let program = Program::new();
    said(&program, "--max-epochs 1");
    let checkpoint = "lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt";
    assert_eq!(
        said(&program, &format!("--max-epochs 2 --limit-train-batches 0 --ckpt-path {checkpoint}")),
        ["there is nothing left to train: `limit_train_batches` is 0"]
    );
}

#[test]
fn misspelled_monitor_is_a_warning_after_the_sanity_check() {
    let program = Program::new();
    let output = program.run(
        "fit --width 1 --max-epochs 1 --early-stopping val_los --enable-model-summary false --log-every-n-steps 1",
    );
    assert_eq!(output.status.code(), Some(1));
    let log = text(output.stderr);
    let mut lines = log.lines();
    assert_eq!(
        lines.next(),
        Some(
            "warning: EarlyStopping monitors `val_los`, and the sanity check logged `val_loss`: the run fails after its first epoch, \
             unless `val_los` is logged by then"
        )
    );
    let error = "EarlyStopping monitors `val_los`, which was not logged: did you mean `val_loss`? It can be one of ";
    assert!(lines.last().unwrap().contains(error), "{log}");
}

#[test]
fn rust_backtrace_prints_the_frames_of_the_program_alone() {
    let backtrace = |value| {
        let program = Program::new().with("RUST_BACKTRACE", value);
        text(program.run("fit --width 1 --fault shape --max-epochs 1 --num-sanity-val-steps 0").stderr)
    };
    let log = backtrace("1");
    let title = "the frames of your own code, the innermost first (`RUST_BACKTRACE=full` prints all frames):";
    let frames: Vec<&str> =
        log.lines().skip_while(|line| *line != title).skip(1).take_while(|line| line.starts_with("  ")).collect();
    assert!((1..10).contains(&frames.len()), "{log}");
    assert!(frames[0].contains("Faulty::step at ") && frames[0].contains("tests/faults/program.rs:"), "{log}");
    assert!(frames.iter().all(|frame| frame.contains("faulty::")), "{log}");
    let all = backtrace("full");
    assert!(all.contains("tch::wrappers::") && all.lines().count() > 40, "{all}");
}

#[test]
fn hooks_lists_no_older_names() {
    let table = Program::new().succeed("hooks");
    assert!(table.contains("| configure_model ") && !table.contains("configure_sharded_model"), "{table}");
}
