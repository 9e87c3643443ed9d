//! Runs the digits program as a user does, and checks its output and its files.

use crate::run::{self, metric, rows, text};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};
use tch_lightning::prelude::tch::{CModule, IValue};
use tch_lightning::prelude::{Device, Kind, Tensor};
use tempfile::TempDir;

const DIGITS: &str = env!("CARGO_BIN_EXE_digits");

/// The program, in an empty folder.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Runs the program, which must succeed, and returns its stdout and stderr.
    fn succeed(&self, arguments: &str) -> (String, String) {
        run::succeed(DIGITS, self.folder.path(), arguments)
    }

    /// Runs the program, which must fail, and returns its error, the only message but that of the checkpoint.
    fn refuse(&self, arguments: &str) -> String {
        let output = run::run(DIGITS, self.folder.path(), arguments);
        let log = text(output.stderr);
        assert_eq!(output.status.code(), Some(1), "`digits {arguments}`: {log}");
        let messages: Vec<&str> = log.lines().filter(|line| !line.starts_with("checkpoint: ")).collect();
        let [error] = messages[..] else { panic!("{log}") };
        error.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {log}")).to_owned()
    }

    /// Returns the checkpoint of the first `fit`.
    fn checkpoint(&self) -> String {
        let folder = "lightning_logs/version_0/checkpoints";
        let mut files = fs::read_dir(self.path(folder)).unwrap().map(|file| file.unwrap().file_name());
        format!("{folder}/{}", files.next().unwrap().to_str().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn digits_are_learned_tested_and_predicted() {
    let program = Program::new();
    let (said, log) = program.succeed("fit");
    assert_eq!(said, "");
    assert!(log.ends_with("the run's folder is ./lightning_logs/version_0\n"), "{log}");
    let epochs: Vec<&str> = log.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 40, "{log}");
    assert!(log.lines().count() < 60, "{log}");
    assert!(!log.contains(|letter: char| letter.is_control() && letter != '\n'), "{log:?}");
    assert!(log.contains("151,306 trainable parameters"), "{log}");

    let logged = rows(&program.path("lightning_logs/version_0/metrics.csv"));
    let number = |row: &HashMap<String, String>, name: &str| row.get(name).and_then(|value| value.parse::<f64>().ok());
    let losses: Vec<f64> = logged.iter().filter_map(|row| number(row, "train_loss_epoch")).collect();
    assert_eq!(losses.len(), 40);
    assert!(losses[39] < losses[0] / 10.0, "{losses:?}");

    let (said, _) = program.succeed("test");
    let accuracy = metric(&said, "test_acc");
    assert!(accuracy >= 0.98, "{said}");
    let (said, _) = program.succeed("validate");
    assert!(metric(&said, "val_acc") >= 0.95, "{said}");

    let (said, _) = program.succeed(&format!("predict --ckpt-path {}", program.checkpoint()));
    // the runs of `test` and `validate` have the folders 1 and 2
    let predictions = rows(&program.path("lightning_logs/version_3/predictions.csv"));
    // a fifth of 1,797 digits, without a remainder for the third part
    assert_eq!(predictions.len(), 359);
    let right = predictions.iter().filter(|row| row["label"] == row["predicted"]).count();
    assert!((right as f64 / 359.0 - accuracy).abs() < 1e-4, "{right} right, {accuracy} said");
    assert!(said.contains(&format!("{} of 359 digits were mistaken", 359 - right)), "{said}");
    let picture = png::Decoder::new(io::BufReader::new(
        fs::File::open(program.path("lightning_logs/version_3/mistaken.png")).unwrap(),
    ));
    let picture = picture.read_info().unwrap();
    assert!(picture.info().width > 300 && picture.info().height > 150);
}

#[test]
fn best_model_is_exported_as_torchscript() {
    let program = Program::new();
    program.succeed("fit --max-epochs 2");
    let before = files(&program.path("lightning_logs"));
    let (said, log) =
        program.succeed("export best --torchscript digits.pt --weights digits.safetensors -- --batch-size 16");
    assert_eq!(said, "digits.safetensors\ndigits.pt\n");
    assert!(log.contains("`forward` takes 1 of the 3 tensors of the batch"), "{log}");
    assert!(!log.contains("batch size"), "{log}");
    assert_eq!(files(&program.path("lightning_logs")), before);

    let images = Tensor::rand([5, 1, 8, 8], (Kind::Float, Device::Cpu));
    let module = CModule::load(program.path("digits.pt")).unwrap();
    let IValue::Tuple(outputs) = module.forward_is(&[IValue::Tensor(images)]).unwrap() else { panic!("not a tuple") };
    let outputs = outputs.into_iter().map(|output| Tensor::try_from(output).unwrap());
    let kinds: Vec<(Kind, Vec<i64>)> = outputs.map(|output| (output.kind(), output.size())).collect();
    assert_eq!(kinds, [(Kind::Int64, vec![5]), (Kind::Float, vec![5])]);
    let mut names: Vec<String> = module.named_parameters().unwrap().into_iter().map(|(name, _)| name).collect();
    names.sort();
    let weights = Tensor::read_safetensors(program.path("digits.safetensors")).unwrap();
    let mut weights: Vec<String> = weights.into_iter().map(|(name, _)| name).collect();
    weights.sort();
    assert_eq!(names, weights);

    let output = run::run(DIGITS, program.folder.path(), "export best --torchscript no/such/folder.pt");
    let log = text(output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("error: cannot write the traced module no/such/folder.pt: "), "{log}");
    // a flag of `predict` needs `--`
    let output = run::run(DIGITS, program.folder.path(), "export best --torchscript digits.pt --batch-size 16");
    assert_eq!(output.status.code(), Some(2));
}

/// Returns the paths of all files under a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

#[test]
fn readme_commands_work_in_sequence() {
    let program = Program::new();
    let commands = include_str!("../../../README.md").lines().filter_map(|line| line.split_once("--bin digits -- "));
    let commands: Vec<&str> = commands.map(|(_, arguments)| arguments).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    for arguments in commands {
        program.succeed(arguments);
    }
}

#[test]
fn help_documents_every_flag() {
    let program = Program::new();
    let (help, _) = program.succeed("fit --help");
    for (flag, documentation) in [
        ("--max-epochs <EPOCHS>", "Stop after this many epochs"),
        ("--accelerator <ACCELERATOR>", "Where to compute"),
        ("--lr <LR>", "The learning rate"),
        ("--batch-size <BATCH_SIZE>", "The number of digits in a batch"),
        ("--ckpt-path <FILE>", "Resume from this checkpoint"),
    ] {
        let after = help.split_once(flag).unwrap_or_else(|| panic!("no {flag}: {help}")).1;
        assert!(after.trim_start().starts_with(documentation), "{flag}: {help}");
    }
    assert!(help.contains("[default: 40]"), "the module's own default: {help}");
    let (hooks, _) = program.succeed("hooks");
    let row = |hook: &str| hooks.lines().find(|line| line.contains(&format!("| {hook} "))).unwrap().to_owned();
    assert!(row("training_step").contains(" model "), "{hooks}");
    assert!(row("setup").contains(" data module "), "{hooks}");
    assert!(!row("on_fit_start").contains(" model "), "{hooks}");
}

#[test]
fn checkpoint_keeps_its_hyperparameters() {
    let program = Program::new();
    program.succeed("fit --max-epochs 1 --channels 8 --batch-size 300");
    program.succeed("test");
    let (_, log) = program.succeed(&format!("fit --ckpt-path {} --max-epochs 2", program.checkpoint()));
    assert!(log.contains("conv1   weight [8, 1, 3, 3], bias [8]"), "{log}");
    assert!(log.contains("epoch 1/1") && !log.contains("epoch 0/1"), "{log}");
    let refused = program.refuse(&format!("test --ckpt-path {} --channels 16", program.checkpoint()));
    assert!(refused.contains("conv1.bias ([8] instead of [16])"), "{refused}");
    let cause = "; hyperparameters differ: `model.channels` was 8 in the checkpoint and is 16 now";
    assert!(refused.ends_with(cause), "{refused}");
}

#[test]
fn damaged_and_missing_files_are_refused_in_one_sentence() {
    let program = Program::new();
    assert_eq!(
        program.refuse("test"),
        "there is no checkpoint in ./lightning_logs: run `fit` first, or name a checkpoint with `--ckpt-path` or `ckpt_path`"
    );
    assert_eq!(
        program.refuse("fit --ckpt-path none.ckpt"),
        "cannot read the checkpoint none.ckpt: No such file or directory (os error 2)"
    );
    assert_eq!(
        program.refuse("fit --data none.csv"),
        "`setup` failed in `fit`: cannot open none.csv: No such file or directory (os error 2)"
    );
    let digit = "0,".repeat(64);
    for (rows, sentence) in [
        (format!("{digit}3\n{digit}\n0,1,2\n"), "row 2 of bad.csv is damaged: `` is not a digit"),
        (
            format!("{digit}3\n0,1,2\n"),
            "row 2 of bad.csv is damaged: it has 3 values, and 64 pixels and a digit are 65",
        ),
        (format!("17,{digit}\n"), "row 1 of bad.csv is damaged: it has 66 values, and 64 pixels and a digit are 65"),
        (digit.replacen('0', "17", 1) + "3", "row 1 of bad.csv is damaged: pixel 1 is `17`, not a number from 0 to 16"),
        (String::new(), "bad.csv has no digits"),
    ] {
        fs::write(program.path("bad.csv"), rows).unwrap();
        assert_eq!(program.refuse("fit --data bad.csv"), format!("`setup` failed in `fit`: {sentence}"));
    }
    fs::write(program.path("bad.csv.gz"), &digit).unwrap();
    assert_eq!(
        program.refuse("fit --data bad.csv.gz"),
        "`setup` failed in `fit`: cannot read row 1 of bad.csv.gz: invalid gzip header"
    );
    assert_eq!(
        program.refuse("fit --data ."),
        "`setup` failed in `fit`: cannot read row 1 of .: Is a directory (os error 21)"
    );
    assert!(!program.path("lightning_logs").exists(), "a run that cannot begin leaves no files");

    program.succeed("fit --max-epochs 1");
    let whole = fs::read(program.path(&program.checkpoint())).unwrap();
    fs::write(program.path("cut.ckpt"), &whole[..whole.len() / 2]).unwrap();
    let refused = program.refuse("test --ckpt-path cut.ckpt");
    assert!(refused.starts_with("the checkpoint cut.ckpt is damaged or truncated ("), "{refused}");
}
