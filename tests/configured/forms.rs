//! The forms in which a choice may be written, which are the same for optimizers, schedulers, callbacks and loggers.

use super::Program;

/// Returns the lines of a configuration from the key to the next key of its level.
fn section(program: &Program, arguments: &str, key: &str) -> String {
    let (config, _) = program.run_line(&format!("fit {arguments} --print-config"));
    let lines: Vec<&str> = config.lines().skip_while(|line| line.trim_start() != format!("{key}:")).collect();
    let first = lines.first().unwrap_or_else(|| panic!("no {key} in {config}"));
    let indent = first.len() - first.trim_start().len();
    let is_inside = |line: &&&str| line[indent.min(line.len())..].starts_with([' ', '-']);
    lines[1..].iter().take_while(is_inside).map(|line| line.trim()).collect::<Vec<_>>().join("|")
}

#[test]
fn choice_may_be_written_in_three_forms() {
    let program = Program::with_model("without");
    for (key, expected, forms) in [
        (
            "optimizer",
            "name: rmsprop|lr: 0.5|",
            [
                "{name: rmsprop, lr: 0.5}",
                "{RMSprop: {lr: 0.5}}",
                "{class_path: torch.optim.RMSprop, init_args: {lr: 0.5}}",
            ],
        ),
        (
            "lr_scheduler",
            "name: step|step_size: 2|gamma: 0.1|",
            [
                "{name: step, step_size: 2}",
                "{StepLR: {step_size: 2}}",
                "{class_path: torch.optim.lr_scheduler.StepLR, init_args: {step_size: 2, last_epoch: -1}}",
            ],
        ),
        (
            "callbacks",
            "- monitor: loss|name: early_stopping|patience: 2",
            [
                "[{name: early_stopping, monitor: loss, patience: 2}]",
                "[early_stopping: {monitor: loss, patience: 2}]",
                "[{class_path: lightning.pytorch.callbacks.EarlyStopping, init_args: {monitor: loss, patience: 2}}]",
            ],
        ),
        (
            "lr_scheduler",
            "name: sequential|schedulers:|- name: constant|factor: 0.5|total_iters: 5|- name: step|step_size: 2|gamma: 0.1|milestones:|- 2|",
            [
                "{name: sequential, milestones: [2], schedulers: [{name: constant, factor: 0.5}, {name: step, step_size: 2}]}",
                "{sequential: {milestones: [2], schedulers: [constant: {factor: 0.5}, StepLR: {step_size: 2}]}}",
                "{class_path: SequentialLR, init_args: {milestones: [2], schedulers: [{class_path: ConstantLR, init_args: {factor: 0.5}}, \
                 {class_path: torch.optim.lr_scheduler.StepLR, init_args: {step_size: 2, last_epoch: -1}}]}}",
            ],
        ),
    ] {
        for form in forms {
            let optimizer = if key == "optimizer" { "" } else { "optimizer: sgd\n" };
            program.write("run.yaml", &format!("{optimizer}{key}: {form}\n"));
            let written = section(&program, "--config run.yaml", key);
            assert!(written.starts_with(expected), "{form}: {written}");
        }
    }
    for form in [
        "{wandb: {project: digits, run_name: wide}}",
        "{name: wandb, project: digits, run_name: wide}",
        "{class_path: lightning.pytorch.loggers.WandbLogger, init_args: {project: digits, name: wide, offline: true, version: null}}",
    ] {
        program.write("run.yaml", &format!("optimizer: sgd\ntrainer: {{logger: [csv, {form}]}}\n"));
        let written = section(&program, "--config run.yaml", "logger");
        assert_eq!(written, "- csv|- wandb:|project: digits|run_name: wide", "{form}");
    }
}

#[test]
fn section_of_a_callback_may_have_the_form_of_lightning() {
    let program = Program::with_model("without");
    program.write(
        "run.yaml",
        "optimizer: sgd\nearly_stopping: {class_path: lightning.pytorch.callbacks.EarlyStopping, init_args: {monitor: loss, patience: 2}}\n",
    );
    let written = section(&program, "--config run.yaml", "early_stopping");
    assert_eq!(written, "monitor: loss|patience: 2");
    let written = section(&program, "--optimizer sgd --checkpoint.save-weights-only", "checkpoint");
    assert_eq!(written, "save_weights_only: true");
}

#[test]
fn choices_within_a_choice_may_be_a_flag() {
    let program = Program::with_model("without");
    let flag = "--lr-scheduler.schedulers=[{name: step, step_size: 1}, {exponential: {gamma: 0.5}}]";
    let (config, _) = program.run(&["fit", "--optimizer", "sgd", "--lr-scheduler", "chained", flag, "--print-config"]);
    let schedulers =
        "  schedulers:\n  - name: step\n    step_size: 1\n    gamma: 0.1\n  - name: exponential\n    gamma: 0.5\n";
    assert!(config.contains(schedulers), "{config}");
}

#[test]
fn forms_that_are_invalid_are_refused() {
    let program = Program::with_model("without");
    for (file, sentence) in [
        (
            "callbacks: [{class_path: EarlyStopping, init_args: {monitor: loss}, patience: 3}]",
            "`callbacks.0.patience` is next to `class_path`: move it into `init_args`",
        ),
        (
            "optimizer: {name: sgd, class_path: torch.optim.SGD}",
            "`optimizer` has both `name` and `class_path`: remove one of them",
        ),
        (
            "optimizer: {class_path: torch.optim.SGD, init_args: [0.1]}",
            "`optimizer.init_args` must be a table of keys and values, but it is a list",
        ),
        (
            "callbacks: [gradient_monitors: {}]",
            "`callbacks.0`: `gradient_monitors` is unknown: write `gradient_monitor`",
        ),
        (
            "callbacks: [{grad_norms: true}]",
            "`callbacks.0.name` is required: write model_checkpoint, early_stopping, learning_rate_monitor, gradient_monitor, \
             device_stats_monitor, throughput_monitor, stochastic_weight_averaging, exponential_moving_average, timer or \
             on_exception_checkpoint",
        ),
        (
            "lr_scheduler: {name: chained, schedulers: [{name: step, step_size: 1}, {class_path: StepLR, init_args: {step: 1}}, step]}",
            "`lr_scheduler.schedulers.1.step` is unknown: write `step_size`; `lr_scheduler.schedulers.2.step_size` is required for step",
        ),
        ("trainer: {logger: {name: wanbd, project: 3}}", "`trainer.logger`: `wanbd` is not a logger: write `wandb`"),
        (
            "trainer: {logger: {name: wandb, project: 3}}",
            "`trainer.logger`: `wandb.project` must be a text, but it is a number",
        ),
        (
            "trainer: {logger: {class_path: CSVLogger, init_args: {save_dir: logs}}}",
            "`trainer.logger`: `csv.save_dir` is not supported: write `folder`, or set `default_root_dir` of the trainer",
        ),
    ] {
        program.write("run.yaml", file);
        let error = program.error_of("fit --optimizer sgd --config run.yaml");
        assert_eq!(error, format!("invalid configuration run.yaml: {sentence}"), "{file}");
    }
    for (file, sentence) in [
        (
            "optimizer: {sgd: 0.1}",
            "`optimizer.sgd` is unknown: write `name`, which is sgd, adam, adamw, adamax, nadam, radam, rmsprop, adagrad, adadelta, \
             adafactor, lion, muon or lbfgs, and its fields",
        ),
        ("optimizer: {nam: sgd}", "`optimizer.nam` is unknown: write `name`"),
        ("early_stopping: 3", "`early_stopping` must be a table of keys and values, or a boolean, but it is a number"),
        (
            "early_stopping: {name: timer}",
            "`early_stopping` must be early_stopping, but it is timer: write it in `callbacks`",
        ),
        ("checkpoint: {dirpath: ''}", "`checkpoint.dirpath` must be a folder, but it is empty"),
        (
            "trainer: {logger: {wandb: {folder: ''}}}",
            "`trainer.logger`: `wandb.folder` is empty: remove it, or write a value",
        ),
    ] {
        program.write("run.yaml", file);
        let error = program.error_of("fit --config run.yaml");
        assert_eq!(error, format!("invalid configuration run.yaml: {sentence}"), "{file}");
    }
    program.write("run.yaml", "optimizer: {lr: 0.1}");
    assert_eq!(
        program.error_of("fit --config run.yaml"),
        "`optimizer.name` is required: write sgd, adam, adamw, adamax, nadam, radam, rmsprop, adagrad, adadelta, adafactor, lion, \
         muon or lbfgs"
    );
}
