//! Optimizers and learning-rate schedulers by flags and files.

use super::Program;
use tch_lightning::checkpoint::Checkpoint;

const FIRST: &str = "lightning_logs/version_0";
const SECOND: &str = "lightning_logs/version_1";

/// Returns the weight in the checkpoint of a run.
fn weight(program: &Program, run: &str) -> f64 {
    Checkpoint::read(&program.checkpoint(run)).unwrap().tensors["module.weight"].double_value(&[0])
}

/// The loss is `(2 w - 1)²`, whose gradient at a weight of 1 is 4.
fn assert_one_step(program: &Program, arguments: &str, expected: f64) {
    let (_, log) = program.run_line(&format!("fit --max-epochs 1 {arguments}"));
    let run = log.lines().find_map(|line| Some(line.split_once("the run's folder is ")?.1));
    let run = run.unwrap_or_else(|| panic!("no folder in {log}"));
    let weight = weight(program, run);
    // the rounding of float32
    assert!((weight - expected).abs() < 1e-7, "{arguments}: {weight}");
}

#[test]
fn optimizer_of_a_flag_or_a_file_takes_its_step() {
    let program = Program::with_model("without");
    assert_one_step(&program, "--optimizer sgd --optimizer.lr 0.1", 0.6);
    assert_one_step(&program, "--optimizer=SGD --optimizer.lr=0.1 --optimizer.weight-decay 0.5", 0.55);
    assert_one_step(&program, "--optimizer torch.optim.SGD --optimizer.weight_decay .5 --optimizer.lr 1e-1", 0.55);
    // PyTorch's default
    assert_one_step(&program, "--optimizer sgd", 0.996);
    assert_one_step(&program, "--optimizer sgd --optimizer.maximize --optimizer.lr 0.1", 1.4);
    // the length of Adam's first step is the learning rate
    assert_one_step(
        &program,
        "--optimizer adamw --optimizer.lr 0.25 --optimizer.betas 0.8,0.9 --optimizer.weight_decay 0",
        0.75,
    );
    assert_one_step(&program, "--optimizer adam --optimizer.lr 0.25 --optimizer.betas [0.8,0.9]", 0.75);
    for (file, arguments, expected) in [
        ("optimizer: {name: sgd, lr: 0.1}", "", 0.6),
        ("optimizer: sgd", "--optimizer.lr 0.1", 0.6),
        ("optimizer: {name: sgd, lr: 0.1}", "--optimizer.lr 0.2", 0.2),
        ("optimizer: {name: sgd, lr: 0.1, weight_decay: 0.5}", "--optimizer.lr 0.2", 0.1),
        // another optimizer has its own defaults
        ("optimizer: {name: rmsprop, lr: 0.1}", "--optimizer sgd", 0.996),
        (
            "optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1, momentum: 0.9, foreach: null, differentiable: false}}",
            "",
            0.6,
        ),
        ("fit:\n  optimizer:\n    class_path: torch.optim.SGD\n    init_args: {lr: 0.1}", "", 0.6),
    ] {
        program.write("run.yaml", file);
        assert_one_step(&program, &format!("--config run.yaml {arguments}"), expected);
    }
}

#[test]
fn optimizer_of_a_flag_replaces_that_of_the_model() {
    let program = Program::with_model("with");
    assert_one_step(&program, "", 0.8);
    assert_one_step(&program, "--optimizer sgd --optimizer.lr 0.1", 0.6);
    let (_, log) = program.run_line("fit --max-epochs 1 --optimizer sgd");
    assert!(log.contains("warning: the chosen optimizer, SGD, replaces `configure_optimizers` of the model"), "{log}");
    let (plan, _) = program.run_line("hooks --plan fit --optimizer sgd");
    assert!(!plan.contains("configure_optimizers"), "{plan}");
    let (plan, _) = program.run_line("hooks --plan fit");
    assert!(plan.contains("configure_optimizers"), "{plan}");
}

#[test]
fn optimizer_is_part_of_the_saved_configuration_which_repeats_the_run() {
    let program = Program::new();
    program.run_line("fit --max-epochs 2 --optimizer nadam --optimizer.lr 0.01 --lr_scheduler ExponentialLR --lr_scheduler.gamma 0.9");
    let config = program.read(&format!("{FIRST}/config.yaml"));
    let optimizer = "optimizer:\n  name: nadam\n  lr: 0.01\n  betas: [0.9, 0.999]\n  eps: 1.0e-8\n  weight_decay: 0.0\n  \
                     momentum_decay: 0.004\n  decoupled_weight_decay: false\n  maximize: false\n";
    let optimizer = optimizer.replace("[0.9, 0.999]", "\n  - 0.9\n  - 0.999").replace("betas: \n", "betas:\n");
    let scheduler = "lr_scheduler:\n  name: exponential\n  gamma: 0.9\n  interval: epoch\n  frequency: 1\n  every: null\n  monitor: null\n  \
                     strict: true\n  log_name: null\n";
    assert!(config.contains(&optimizer) && config.contains(scheduler), "{config}");
    let hparams = program.read(&format!("{FIRST}/hparams.json"));
    let hparams: serde_json::Value = serde_json::from_str(&hparams).unwrap();
    assert_eq!(hparams["optimizer"]["name"], "nadam");
    assert_eq!((&hparams["optimizer"]["lr"], &hparams["lr_scheduler"]["gamma"]), (&0.01.into(), &0.9.into()));

    program.run(&["fit", "--config", &format!("{FIRST}/config.yaml")]);
    super::saved::assert_same_run(&program, FIRST, SECOND);
    let printed = program.run_line(&format!("fit --config {FIRST}/config.yaml --print-config")).0;
    assert!(printed.contains(&optimizer) && printed.contains(scheduler), "{printed}");
    // other verbs read the same file
    program.run(&["test", "--config", &format!("{FIRST}/config.yaml")]);
}

#[test]
fn learning_rates_of_a_scheduler_are_those_of_pytorch() {
    let program = Program::with_model("without");
    program.write(
        "sequential.yaml",
        "lr_scheduler:\n  name: sequential\n  milestones: [2]\n  schedulers:\n  - {name: constant, factor: 0.5, total_iters: 2}\n  \
         - {name: StepLR, step_size: 1}\n",
    );
    program.write(
        "cosine.yaml",
        "lr_scheduler:\n  class_path: torch.optim.lr_scheduler.CosineAnnealingLR\n  init_args: {T_max: 4, eta_min: 0.01, last_epoch: -1}\n",
    );
    for (scheduler, expected) in [
        ("--lr-scheduler cosine_annealing --lr-scheduler.t-max 4 --lr-scheduler.eta-min 0.01", COSINE),
        ("--lr_scheduler CosineAnnealingLR --lr_scheduler.T_max 4 --lr_scheduler.eta_min 0.01", COSINE),
        ("--config cosine.yaml", COSINE),
        (
            "--lr-scheduler one_cycle --lr-scheduler.max-lr 0.2 --lr-scheduler.total-steps 7 --lr_scheduler.cycle-momentum false",
            ONE_CYCLE,
        ),
        (
            "--lr-scheduler reduce_lr_on_plateau --lr-scheduler.monitor loss --lr-scheduler.patience 0 --lr-scheduler.mode max",
            PLATEAU,
        ),
        ("--config sequential.yaml", SEQUENTIAL),
    ] {
        program.run_line(&format!("fit --max-epochs 6 --lr-monitor --optimizer sgd --optimizer.lr 0.1 {scheduler}"));
        let runs = super::files(&program.path("lightning_logs"));
        let rates = rates(&std::fs::read_to_string(runs.last().unwrap().join("metrics.csv")).unwrap());
        assert_eq!(rates.len(), expected.len(), "{scheduler}: {rates:?}");
        assert!(
            rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12),
            "{scheduler}: {rates:?}"
        );
    }
}

/// Returns the logged learning rates.
fn rates(csv: &str) -> Vec<f64> {
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "lr-SGD").unwrap();
    csv.lines().skip(1).filter_map(|line| line.split(',').nth(column)?.parse().ok()).collect()
}

#[test]
fn scheduler_steps_after_the_interval_of_a_flag() {
    let program = Program::new();
    let flags = "--optimizer sgd --optimizer.lr 1 --lr-scheduler exponential --lr-scheduler.gamma 0.5 --lr-scheduler.interval step \
                 --lr-scheduler.frequency 2";
    program.run_line(&format!("fit --max-steps 5 --lr-monitor {flags}"));
    assert_eq!(rates(&program.read(&format!("{FIRST}/metrics.csv"))), [1.0, 1.0, 0.5, 0.5, 0.25]);
}

#[test]
fn run_with_an_optimizer_of_a_flag_resumes() {
    let program = Program::with_model("with");
    program.run_line("fit --max-epochs 4 --optimizer adamax --optimizer.lr 0.1");
    program.run_line("fit --max-epochs 2 --optimizer adamax --optimizer.lr 0.1");
    let checkpoint = program.checkpoint(SECOND).display().to_string();
    // the checkpoint has the optimizer
    program.run_line(&format!("fit --max-epochs 4 --ckpt-path {checkpoint}"));
    assert_eq!(weight(&program, "lightning_logs/version_2"), weight(&program, FIRST));
    let (_, log) = program.run_line(&format!("fit --max-epochs 4 --ckpt-path {checkpoint} --optimizer.lr 0.3"));
    let warning = "`optimizer.lr` is 0.3, but 0.1 in the checkpoint: optimizers and schedulers resume with the checkpoint's settings";
    assert!(log.contains(warning), "{log}");
    let error = program.error_of(&format!("fit --max-epochs 4 --ckpt-path {checkpoint} --optimizer sgd"));
    assert!(error.contains("its optimizer 0 is Adamax, but the run's is SGD"), "{error}");
}

#[test]
fn optimizers_that_are_invalid_are_refused() {
    let program = Program::with_model("without");
    for (arguments, sentence) in [
        (
            "--optimizer adamw --optimizer.momentum 0.9",
            "`--optimizer.momentum` is a field of sgd, rmsprop and muon, not of adamw",
        ),
        (
            "--optimizer.lr 0.1",
            "`--optimizer.lr` requires `--optimizer`: sgd, adam, adamw, adamax, nadam, radam, rmsprop, adagrad, adadelta, adafactor, lion, muon or lbfgs",
        ),
        ("--optimizer sgd --optimizer.lr high", "`--optimizer.lr`: invalid type: string \"high\", expected a number"),
        ("--optimizer sgd --lr-scheduler step", "`--lr-scheduler.step-size` is required for step"),
        (
            "--lr-scheduler step --lr-scheduler.step-size 3",
            "`--lr-scheduler` requires `--optimizer`: without it, the model's `configure_optimizers` returns the optimizer with its schedulers",
        ),
        ("--optimizer sgd --optimizer.lr -1", "`--optimizer.lr` must be a finite number of 0 or more, but it is -1"),
    ] {
        assert_eq!(program.error_of(&format!("fit {arguments}")), sentence, "{arguments}");
    }
    for (arguments, sentences) in [
        ("--optimizer sdg", ["invalid value 'sdg' for '--optimizer <NAME>'", "a similar value exists: 'sgd'"]),
        (
            "--optimizer sgd --optimizer.nestrov",
            ["unexpected argument '--optimizer.nestrov' found", "'--optimizer.nesterov'"],
        ),
    ] {
        let said = program.fail(&format!("fit {arguments}").split_whitespace().collect::<Vec<_>>());
        assert!(sentences.iter().all(|sentence| said.contains(sentence)), "{said}");
    }
    for (file, sentence) in [
        ("optimizer: {name: sdg}", "`optimizer`: `sdg` is unknown: write `sgd`"),
        ("optimizer: {name: sgd, momentun: 0.9}", "`optimizer.momentun` is unknown: write `momentum`"),
        (
            "optimizer: {name: adam, momentum: 0.9}",
            "`optimizer.momentum` is a field of sgd, rmsprop and muon, not of adam",
        ),
        ("optimizer: {name: sgd, lr: high}", "`optimizer.lr`: invalid type: string \"high\", expected a number"),
        ("optimizer: 3", "`optimizer` must be a name, or a table with the key `name`, but it is a number"),
        ("optimizer: {name: 3}", "`optimizer.name` must be a name, but it is a number"),
        (
            "optimizer: {class_path: torch.optim.SGD, init_args: {lr: 1, fused: true}}",
            "`optimizer.fused` is unknown: the keys are lr, momentum, dampening, weight_decay, nesterov, maximize",
        ),
        ("lr_scheduler: {name: step, steps: 3}", "`lr_scheduler.steps` is unknown: write `step_size`"),
    ] {
        program.write("run.yaml", file);
        let error = program.error_of("fit --config run.yaml");
        assert_eq!(error, format!("invalid configuration run.yaml: {sentence}"), "{file}");
    }
    assert_eq!(
        program.error_of("fit"),
        "`fit` needs `configure_optimizers`: write it in the block of the module, or choose an optimizer, such as `--optimizer adamw`"
    );
}

#[test]
fn optimizer_of_a_model_with_manual_optimization_is_refused() {
    let program = Program::with_model("manual");
    assert_eq!(
        program.error_of("fit --generator adam --optimizer sgd"),
        "`optimizer` is only supported with automatic optimization, but this module optimizes manually: return its optimizers from \
         `configure_optimizers`, with hyperparameters of the type `OptimizerConfig`"
    );
}

/// The rates of torch 2.13 in each of six epochs, for SGD with a rate of 0.1.
const COSINE: [f64; 6] =
    [0.1, 0.08681980515339464, 0.05500000000000001, 0.023180194846605363, 0.01, 0.023180194846605363];
const ONE_CYCLE: [f64; 6] = [
    0.008000000000000007,
    0.19611132546699175,
    0.18380887525394213,
    0.13453676729610903,
    0.07154775514793141,
    0.01985935837865312,
];
const PLATEAU: [f64; 6] =
    [0.1, 0.1, 0.010000000000000002, 0.0010000000000000002, 0.00010000000000000003, 1.0000000000000004e-05];
const SEQUENTIAL: [f64; 6] = [0.05, 0.05, 0.1, 0.010000000000000002, 0.0010000000000000002, 0.00010000000000000003];

#[test]
fn schedule_of_a_longer_run_says_from_which_rate_it_continues() {
    let program = Program::with_model("without");
    let flags = "--optimizer sgd --optimizer.lr 0.1 --lr-scheduler cosine_annealing --lr-scheduler.t-max";
    program.run_line(&format!("fit --max-epochs 2 {flags} 2"));
    let (_, log) = program.run_line(&format!("fit --max-epochs 4 --ckpt-path last {flags} 4"));
    let warning = "warning: `t_max` was 2 in the checkpoint and is 4 now: CosineAnnealingLR continues with the new value from the \
                   learning rate of the checkpoint, 0\n";
    assert!(log.contains(warning), "{log}");
    let (_, log) = program.run_line(&format!("fit --max-epochs 6 --ckpt-path last {flags} 4"));
    assert!(!log.contains("in the checkpoint and is"), "{log}");
}

#[test]
fn last_of_a_repeated_flag_counts() {
    let program = Program::with_model("without");
    let (printed, _) = program.run_line("fit --max-epochs 7 --max-epochs 2 --print-config");
    assert!(printed.contains("  max_epochs: 2\n"), "{printed}");
}
