//! Callbacks by flags and configuration files.

use super::{Program, files};

const RUN: &str = "lightning_logs/version_0";
const FLAGS: [&str; 10] = [
    "fit",
    "--max-epochs",
    "6",
    "--checkpoint.monitor",
    "val_acc",
    "--checkpoint.save_top_k",
    "3",
    "--checkpoint.mode",
    "max",
    "--lr-monitor",
];

#[test]
fn callback_flags_choose_the_checkpoints_and_log_learning_rates() {
    let program = Program::new();
    program.run(&FLAGS);
    let checkpoints = files(&program.path(RUN).join("checkpoints"));
    assert_eq!(checkpoints.len(), 3, "{checkpoints:?}");
    let csv = program.read(&format!("{RUN}/metrics.csv"));
    assert!(csv.lines().next().unwrap().contains("lr-SGD"), "{csv}");
    let config = program.read(&format!("{RUN}/config.yaml"));
    assert!(
        config.contains("checkpoint:\n  mode: max\n  monitor: val_acc\n  save_top_k: 3\nlr_monitor: {}\n"),
        "{config}"
    );
    // the saved configuration has the same callbacks
    program.run(&["fit", "--config", &format!("{RUN}/config.yaml")]);
    let names = |run: &str| {
        let files = files(&program.path(run).join("checkpoints")).into_iter();
        files.map(|file| file.file_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("lightning_logs/version_1"), names(RUN));
    assert_eq!(program.read("lightning_logs/version_1/metrics.csv"), csv);
}

#[test]
fn early_stopping_of_a_flag_or_a_file_ends_the_run() {
    let program = Program::new();
    // the first check is an improvement, as of any value
    program.run(&[
        "fit",
        "--max-epochs",
        "50",
        "--lr",
        "0",
        "--early-stopping.monitor",
        "val_loss",
        "--early-stopping.patience",
        "2",
    ]);
    program.write("run.yaml", "early_stopping: {monitor: val_loss, patience: 1}\nmodel: {lr: 0}\n");
    program.run(&["fit", "--config", "run.yaml", "--max-epochs", "50", "--early_stopping.patience", "2"]);
    for run in [RUN, "lightning_logs/version_1"] {
        assert_eq!(program.checkpoint(run).file_name().unwrap(), "epoch=2-step=30.ckpt");
    }
}

#[test]
fn best_weights_are_restored_by_a_flag() {
    let program = Program::new();
    for value in [&[][..], &["true"]] {
        let flags = ["fit", "--print-config", "--early-stopping.monitor", "val_loss", "--early-stopping.restore-best"];
        let (printed, _) = program.run(&[&flags, value].concat());
        assert!(printed.contains("early_stopping:\n  monitor: val_loss\n  restore_best: true\n"), "{printed}");
    }
}

#[test]
fn callback_settings_that_are_invalid_are_refused() {
    let program = Program::new();
    for (arguments, mistake) in [
        (
            &["--checkpoint.save-top-k", "many"][..],
            "`--checkpoint.save-top-k`: invalid type: string \"many\", expected a whole number",
        ),
        (&["--early-stopping.patience", "2"], "error: `--early-stopping.monitor` is required for early_stopping"),
        (
            &["--early-stopping.monitor", "val_loss", "--early-stopping.mode", "up"],
            "`--early-stopping.mode`: `up` is unknown: write min or max",
        ),
    ] {
        let said = program.fail(&[&["fit", "--max-epochs", "1"], arguments].concat());
        assert!(said.contains(mistake), "{arguments:?}: {said}");
    }
    program.write("run.yaml", "checkpoint: {save_topk: 3}\n");
    let said = program.fail(&["fit", "--config", "run.yaml"]);
    assert!(
        said.contains("invalid configuration run.yaml: `checkpoint.save_topk` is unknown: write `save_top_k`"),
        "{said}"
    );
}

#[test]
fn callbacks_of_a_list_and_a_flag_are_added() {
    let program = Program::new();
    program.write(
        "run.yaml",
        "trainer:\n  max_epochs: 50\n  callbacks:\n  - class_path: lightning.pytorch.callbacks.EarlyStopping\n    \
         init_args: {monitor: val_loss, patience: 2, log_rank_zero_only: false}\n  - LearningRateMonitor\n  \
         - {name: model_checkpoint, save_last: true, save_top_k: 0}\nmodel: {lr: 0}\n",
    );
    let (plan, _) = program.run(&["hooks", "--plan", "--config", "run.yaml", "--callback", "timer,gradient-monitor"]);
    for callback in ["EarlyStopping", "LearningRateMonitor", "ModelCheckpoint", "Timer", "GradientMonitor"] {
        assert!(plan.contains(callback), "{callback}: {plan}");
    }
    program.run(&["fit", "--config", "run.yaml", "--callback", "gradient_monitor", "--early-stopping.patience", "1"]);
    let checkpoints = files(&program.path(RUN).join("checkpoints"));
    assert_eq!(checkpoints, [program.path(RUN).join("checkpoints/last.ckpt")]);
    let config = program.read(&format!("{RUN}/config.yaml"));
    let saved = "callbacks:\n- monitor: val_loss\n  name: early_stopping\n  patience: 2\n- name: learning_rate_monitor\n- name: \
                 model_checkpoint\n  save_last: true\n  save_top_k: 0\n- name: gradient_monitor\n";
    assert!(config.contains(saved), "{config}");
    let csv = program.read(&format!("{RUN}/metrics.csv"));
    assert!(csv.lines().next().unwrap().contains("grad_norm") && csv.contains("lr-SGD"), "{csv}");
    // the first check is an improvement, and the flag overrides the patience of the list
    let epochs = csv.lines().skip(1).filter_map(|line| line.split(',').nth(1)?.parse::<usize>().ok());
    assert_eq!(epochs.max(), Some(1), "{csv}");
    program.run(&["fit", "--config", &format!("{RUN}/config.yaml")]);
    assert_eq!(program.read("lightning_logs/version_1/metrics.csv"), csv);
}

#[test]
fn callbacks_of_a_list_that_are_invalid_are_refused() {
    let program = Program::new();
    for (file, sentence) in [
        (
            "callbacks: [gradient_monitors]",
            "invalid configuration run.yaml: `callbacks.0`: `gradient_monitors` is unknown: write `gradient_monitor`",
        ),
        (
            "trainer: {callbacks: [{class_path: EarlyStopping, init_args: {monitr: val_loss}}]}",
            "invalid configuration run.yaml: `callbacks.0.monitr` is unknown: write `monitor`",
        ),
        (
            "callbacks: [{name: stochastic_weight_averaging}]",
            "`callbacks.0.swa_lrs` is required for stochastic_weight_averaging",
        ),
    ] {
        program.write("run.yaml", file);
        assert_eq!(program.error_of("fit --config run.yaml"), sentence);
    }
}
