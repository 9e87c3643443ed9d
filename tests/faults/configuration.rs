//! Configuration files of the generated program.

use crate::child::{Program, text};
use std::fs;
use tch_lightning::{TrainerConfig, checkpoint::Checkpoint, trainer::BatchLimit};

impl Program {
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What is said of a file, without its name.
    fn refuse_file(&self, text: &str) -> String {
        self.write("run.yaml", text);
        let said = self.refuse("fit --config run.yaml --width 1");
        assert!(!self.path("lightning_logs").exists(), "nothing is written");
        said.strip_prefix("invalid configuration run.yaml: ").unwrap_or_else(|| panic!("{said}")).to_owned()
    }
}

#[test]
fn file_overrides_defaults_and_flags_override_files() {
    let program = Program::new();
    program.write(
        "run.yaml",
        "seed_everything: 7\ntrainer:\n  max_epochs: 3\n  limit_train_batches: 0.5\n  devices: 1\n  max_time: 00:01:00:00\n\
         model:\n  width: 2\n  lr: 1e-4\ndata:\n  batches: 8\n",
    );
    program.write("more.yaml", "trainer:\n  max_epochs: 4\n  precision: bf16-mixed\nmodel:\n  lr: 0.5\ndata:\n");
    let printed = |arguments: &str| program.succeed(&format!("fit --print-config {arguments}"));
    let config = |text: &str| {
        let trainer = text.split_once("trainer:\n").unwrap().1;
        let lines = trainer.lines().take_while(|line| line.starts_with(' '));
        TrainerConfig::from_yaml(&lines.collect::<Vec<_>>().join("\n")).unwrap()
    };
    let one = printed("--config run.yaml");
    assert!(one.starts_with("seed_everything: 7\ntrainer:\n"), "{one}");
    assert!(
        one.contains(
            "model:\n  crashes: null\n  early_stopping: null\n  fault: none\n  keeps: null\n  limit: 1.0\n  lr: 0.0001\n  width: 2\n\
             data:\n  batches: 8\nckpt_path: null\n"
        ),
        "{one}"
    );
    let read = config(&one);
    assert_eq!((read.max_epochs, read.limit_train_batches), (Some(3), BatchLimit::Fraction(0.5)));
    assert_eq!(read.max_time.unwrap().0.as_secs(), 3600);

    let two = printed("--config run.yaml --config more.yaml");
    assert_eq!(config(&two).max_epochs, Some(4));
    assert!(two.contains("precision: bf16-mixed\n") && two.contains("  lr: 0.5\n  width: 2\n"), "{two}");

    let flags = printed("--config run.yaml --config more.yaml --max-epochs 9 --lr 0.25 --width 5 --seed-everything 1");
    assert_eq!(config(&flags).max_epochs, Some(9));
    assert!(flags.contains("  lr: 0.25\n  width: 5\n") && flags.starts_with("seed_everything: 1\n"), "{flags}");
    assert!(!program.path("lightning_logs").exists(), "nothing is done");
}

#[test]
fn printed_configuration_can_be_read_again() {
    let program = Program::new();
    for arguments in [
        "--width 3",
        "--width 3 --devices [0] --check-val-every-n-epoch none --limit-val-batches 1 --limit-test-batches 1.0 --max-time 1h \
         --val-check-interval 10 --fast-dev-run 2 --overfit-batches 0.5 --gradient-clip-val 1e-20 --on-non-finite-loss skip-step",
    ] {
        let printed = program.succeed(&format!("fit --print-config {arguments}"));
        program.write("printed.yaml", &printed);
        assert_eq!(program.succeed("fit --print-config --config printed.yaml"), printed);
    }
    program.write("steps.yaml", "trainer:\n  val_check_interval: 100 steps\nmodel:\n  width: 1\n");
    let printed = program.succeed("fit --print-config --config steps.yaml");
    assert!(printed.contains("val_check_interval: 100 steps\n"), "{printed}");
}

#[test]
fn run_takes_its_values_from_a_file() {
    let program = Program::new();
    program.write("run.yaml", "trainer:\n  max_epochs: 1\nmodel:\n  width: 2\n");
    program.succeed("fit --config run.yaml");
    let saved = fs::read_to_string(program.path("lightning_logs/version_0/hparams.json")).unwrap();
    assert!(saved.contains("\"width\": 2"), "{saved}");
    let path = "lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt";
    let printed = program.succeed(&format!("test --print-config --ckpt-path {path}"));
    assert!(printed.contains("  width: 2\n") && printed.ends_with(&format!("ckpt_path: {path}\n")), "{printed}");
    // a file is between the checkpoint's values and the flags
    program.write("wide.yaml", "model:\n  width: 3\n");
    let refused = program.refuse("test --config wide.yaml");
    assert!(refused.contains("[2, 4]") || refused.contains("[2]"), "{refused}");
    program.succeed("test --config wide.yaml --width 2");
}

#[test]
fn mistakes_are_named_with_their_file_and_key() {
    let program = Program::new();
    assert_eq!(
        program.refuse_file("trainr: {}\nseed_everything: x\ntrainer:\n  max_epoch: 3\n",),
        "`seed_everything` must be random or an integer, but it is a string; `trainr` is unknown: write `trainer`; `trainer.max_epoch` is \
         unknown: write `max_epochs`"
    );
    assert_eq!(
        program.refuse_file(
            "trainer:\n  max_epoch: 3\n  logger: maybe\n  max_steps: -7\n  precision: 17\nmodel:\n  lr: high\n  wdth: 3\ndata:\n  \
             batches: [1]\n  zebra: 1\n"
        ),
        "`trainer.logger`: `maybe` is not a logger: write true, false, csv, tensorboard, jsonl, wandb or mlflow, or a list of them; \
         `trainer.max_epoch` is unknown: write `max_epochs`; `trainer.precision`: `17` is not a precision: choose one of 32-true, 64-true, bf16-true, 16-true, \
         bf16-mixed, 16-mixed; `max_steps` is -7: it must be 0 or more, or -1 for no limit; `model.lr`: invalid type: string \
         \"high\", expected f64; `model.wdth` is unknown: write `width`; `data.batches`: invalid type: sequence, expected i64; \
         `data.zebra` is unknown: the keys are batches"
    );
    assert_eq!(
        program.refuse_file(
            "trainer: {accelerator: tpu, devices: some, fast_dev_run: 2.5, limit_val_batches: many, max_time: x, \
             on_non_finite_loss: skip, val_check_interval: 3 fortnights}"
        ),
        "`trainer.accelerator`: unknown variant `tpu`, expected one of `auto`, `cpu`, `gpu`, `cuda`, `mps`; `trainer.devices`: write \
         auto, a count such as 1, or indices such as [0]; `trainer.fast_dev_run`: write true, false, or a number of batches; \
         `trainer.limit_val_batches`: write a number of batches, or a fraction; `trainer.max_time`: `x` is not a time: write \
         DD:HH:MM:SS, or units such as 1h 30m; `trainer.on_non_finite_loss`: unknown variant `skip`, expected one of `stop`, \
         `skip-step`, `ignore`; `trainer.val_check_interval`: write a number of batches, a fraction, a time, or how often such \
         as `100 steps`"
    );
}

#[test]
fn invalid_configurations_are_refused_in_one_sentence() {
    let program = Program::new();
    for (text, sentence) in [
        ("", "it is empty"),
        ("- 1", "it must be a table of keys and values, but it is a list"),
        ("trainer: 3", "`trainer` must be a table of keys and values, but it is a number"),
        (
            "seed_everything: 18446744073709551615",
            "`seed_everything` must be random or an integer from -9223372036854775808 to 9223372036854775807, but it is \
             18446744073709551615",
        ),
        ("ckpt_path: \"\"", "`ckpt_path` must be a file's path, but it is empty"),
        ("ckpt_path: [1]", "`ckpt_path` must be a file's path, but it is a list"),
        ("trainer:\n  max_epochs: 1\n  max_epochs: 2", "`max_epochs` is duplicated in line 3"),
        ("trainer: {\n", "invalid YAML: unclosed bracket '{' at line 1, column 10"),
        ("trainer: *missing", "invalid YAML: reference to unknown value at line 1, column 10"),
        ("trainer: {max_epochs: 1e999}", "`trainer.max_epochs`: invalid type: floating point `inf`, expected i64"),
        (
            "trainer: {}\n---\ntrainer: {}\n",
            "invalid YAML: only single YAML document expected but multiple found at line 3, column 1",
        ),
        (
            "1: 2",
            "`1` is unknown: the keys are trainer, model, data, seed_everything, ckpt_path, optimizer, lr_scheduler, callbacks, checkpoint, early_stopping, lr_monitor",
        ),
        ("model: {lr: }", "`model.lr`: invalid type: null, expected f64"),
    ] {
        assert_eq!(program.refuse_file(text), sentence, "{text}");
    }
    for (file, sentence) in [
        ("none.yaml", "cannot read the configuration none.yaml: No such file or directory (os error 2)"),
        (".", "cannot read the configuration .: Is a directory (os error 21)"),
    ] {
        assert_eq!(program.refuse(&format!("fit --config {file} --width 1")), sentence);
    }
}

/// A file as Lightning's `SaveConfigCallback` writes it, with all of the trainer's keys.
const OF_LIGHTNING: &str = "# lightning.pytorch==2.6.1
seed_everything: 7
trainer:
  accelerator: auto
  strategy: auto
  devices: auto
  num_nodes: 1
  precision: null
  logger: null
  callbacks: null
  fast_dev_run: false
  max_epochs: 3
  min_epochs: null
  max_steps: -1
  min_steps: null
  max_time: null
  limit_train_batches: null
  limit_val_batches: null
  limit_test_batches: null
  limit_predict_batches: null
  overfit_batches: 0.0
  val_check_interval: null
  check_val_every_n_epoch: 1
  num_sanity_val_steps: null
  log_every_n_steps: null
  enable_checkpointing: null
  enable_progress_bar: null
  enable_model_summary: null
  accumulate_grad_batches: 1
  gradient_clip_val: 0.5
  gradient_clip_algorithm: null
  deterministic: null
  benchmark: null
  inference_mode: true
  use_distributed_sampler: true
  profiler: null
  detect_anomaly: false
  barebones: false
  plugins: null
  sync_batchnorm: false
  reload_dataloaders_every_n_epochs: 0
  default_root_dir: null
  enable_autolog_hparams: true
  model_registry: null
model:
  class_path: project.models.Faulty
  init_args:
    width: 2
    lr: 0.25
data:
  batches: 8
ckpt_path: null
";

#[test]
fn file_of_lightnings_cli_is_accepted() {
    let program = Program::new();
    program.write("config.yaml", OF_LIGHTNING);
    let printed = program.succeed("fit --config config.yaml --print-config");
    for line in [
        "seed_everything: 7",
        "  max_epochs: 3",
        "  gradient_clip_val: 0.5",
        "  log_every_n_steps: 50",
        "  lr: 0.25",
        "  width: 2",
        "  batches: 8",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    // a file for all verbs has a section for each of them
    let inner: String = OF_LIGHTNING.lines().skip(1).map(|line| format!("  {line}\n")).collect();
    program.write("verbs.yaml", &format!("fit:\n{inner}test:\n  data:\n    batches: 1\n"));
    assert_eq!(program.succeed("fit --config verbs.yaml --print-config"), printed);
}

#[test]
fn lightnings_unsupported_keys_have_a_replacement_each() {
    let said = Program::new().refuse_file(
        "trainer:\n  strategy: fsdp\n  num_nodes: two\n  logger:\n    class_path: lightning.pytorch.loggers.CometLogger\n    \
         init_args: {save_dir: logs}\n  callbacks:\n    - class_path: lightning.pytorch.callbacks.EarlyStopping\n      \
         init_args: {monitor: val_loss}\n    - class_path: RichProgressBar\n  barebones: true\nmodel: {class_path: a.Other, \
         init_args: {width: 1}}\noptimizer:\n  class_path: torch.optim.Adam\n  init_args: {lr: 0.1}\nlr_scheduler:\n  class_path: \
         torch.optim.lr_scheduler.StepLR\n",
    );
    let sentences: Vec<&str> = said.split("; `").collect();
    for sentence in [
        "model.class_path` is `a.Other`, but the model of this program is `Faulty`: remove `class_path`, and move the values of \
         `init_args` to `model`",
        "trainer.strategy`: `fsdp` is not a strategy: write auto, ddp, ddp_find_unused_parameters_true, or a table such as {name: ddp, \
         timeout: 1m}",
        "trainer.num_nodes`: invalid type: string \"two\", expected usize",
        "callbacks.1`: `RichProgressBar` is unknown: write model_checkpoint, early_stopping, learning_rate_monitor, gradient_monitor, \
         device_stats_monitor, throughput_monitor, stochastic_weight_averaging, exponential_moving_average, timer or \
         on_exception_checkpoint",
        "trainer.barebones` is not supported: set `logger`, `enable_checkpointing`, `enable_progress_bar` and \
         `enable_model_summary` to false, and `num_sanity_val_steps` to 0",
    ] {
        assert!(sentences.iter().any(|said| said.trim_start_matches('`') == sentence), "{sentence}\n{said}");
    }
    assert!(
        said.contains(
            "`trainer.logger`: `lightning.pytorch.loggers.CometLogger` is not among the loggers, true, false, csv"
        ),
        "{said}"
    );
}

#[test]
fn flag_that_is_required_may_be_in_a_file() {
    let program = Program::new();
    program.write("empty.yaml", "trainer: {}\n");
    let output = program.run("fit --config empty.yaml");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("--width <WIDTH>"));
    program.write("wide.yaml", "model: {width: wide}\n");
    assert_eq!(
        program.refuse("fit --config wide.yaml"),
        "invalid configuration wide.yaml: `model.width`: invalid type: string \"wide\", expected i64"
    );
    program.write("one.yaml", "trainr: {}\n");
    program.write("two.yaml", "model: 1\n");
    assert_eq!(
        program.refuse("fit --config one.yaml --config two.yaml --config none.yaml"),
        "invalid configuration one.yaml: `trainr` is unknown: write `trainer`; invalid configuration two.yaml: `model` \
         must be a table of keys and values, but it is a number; cannot read the configuration none.yaml: No such file or \
         directory (os error 2)"
    );
}
#[test]
fn numbers_that_are_not_finite_go_through_checkpoints_and_configurations() {
    let program = Program::new();
    let fit = "fit --width 1 --max-epochs 1 --enable-progress-bar false";
    program.succeed(&format!("{fit} --crashes kept --limit inf"));
    assert!(program.log("test").contains("checkpoint: "));
    let printed = program.succeed("fit --width 1 --limit=-inf --print-config");
    assert!(printed.contains("limit: -.inf"), "{printed}");
    std::fs::write(program.path("printed.yaml"), &printed).unwrap();
    assert_eq!(program.succeed("fit --config printed.yaml --print-config"), printed);
    // flags count more than files, and files more than the checkpoint
    assert!(program.succeed("test --print-config --limit 3 --config printed.yaml").contains("limit: 3.0"));
}

#[test]
fn hyperparameter_that_was_added_since_has_its_default() {
    let program = Program::new();
    program.succeed("fit --width 3 --lr 0.5 --max-epochs 1 --enable-progress-bar false");
    let path = program.path("lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt");
    let mut checkpoint = Checkpoint::read(&path).unwrap();
    let hyper_parameters = checkpoint.metadata.hyper_parameters.as_mut().unwrap();
    let model = hyper_parameters["model"].as_object_mut().unwrap();
    // as a version of the program wrote it that had no `limit`
    assert_eq!(model.remove("limit"), Some(1.0.into()));
    checkpoint.write(&path).unwrap();
    let printed =
        program.succeed("test --print-config --ckpt-path lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt");
    assert!(printed.contains("  limit: 1.0\n  lr: 0.5\n  width: 3\n"), "{printed}");
    program.succeed("test");
    // one without a default is named, with the file
    let model = checkpoint.metadata.hyper_parameters.as_mut().unwrap()["model"].as_object_mut().unwrap();
    model.remove("width").unwrap();
    checkpoint.write(&path).unwrap();
    assert_eq!(
        program.refuse("test"),
        "the hyperparameters in ./lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt do not fit the model: missing field \
         `width`"
    );
}

#[test]
fn root_may_be_in_the_users_own_folder() {
    let program = Program::new();
    let home = program.path("home").display().to_string();
    let program = program.with("HOME", home.leak());
    program.write(
        "run.yaml",
        "trainer: {default_root_dir: ~/runs, max_epochs: 1, enable_progress_bar: false}\nmodel: {width: 1}\n",
    );
    program.succeed("fit --config run.yaml");
    assert!(program.path("home/runs/lightning_logs/version_0/metrics.csv").exists());
    assert!(!program.path("~").exists());
    program.succeed("test --config run.yaml");
}
