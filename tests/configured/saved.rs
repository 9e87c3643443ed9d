//! `config.yaml` in the folder of a run.

use super::Program;
use std::process::Command;
use tch_lightning::checkpoint::Checkpoint;

const FIRST: &str = "lightning_logs/version_0";
const SECOND: &str = "lightning_logs/version_1";

/// Returns the line of a configuration with this key.
fn line<'a>(config: &'a str, key: &str) -> &'a str {
    let start = format!("{key}:");
    config.lines().find(|line| line.trim_start().starts_with(&start)).unwrap_or_else(|| panic!("no {key} in {config}"))
}

/// Asserts that two runs have the same log and, bit for bit, the same last checkpoint.
pub(super) fn assert_same_run(program: &Program, first: &str, second: &str) {
    let csv = |run: &str| program.read(&format!("{run}/metrics.csv"));
    assert_eq!(csv(first), csv(second));
    let [first, second] = [first, second].map(|run| Checkpoint::read(&program.checkpoint(run)).unwrap());
    assert_eq!(first.tensors.len(), second.tensors.len());
    for (name, tensor) in &first.tensors {
        assert_eq!(*tensor, second.tensors[name], "{name}");
    }
    assert_eq!(first.metadata.hyper_parameters, second.metadata.hyper_parameters);
}

#[test]
fn saved_configuration_repeats_a_run_of_flags_and_a_file_and_a_drawn_seed_bit_for_bit() {
    let program = Program::new();
    program.write("run.yaml", "seed_everything: random\ntrainer: {max_epochs: 3}\nmodel: {lr: 0.3, dropout: 0.4}\n");
    program.run(&["fit", "--config", "run.yaml", "--lr", "0.2", "--batch-size", "5", "--accumulate-grad-batches", "2"]);
    let config = program.read(&format!("{FIRST}/config.yaml"));
    let written = ["seed_everything", "max_epochs", "accumulate_grad_batches", "lr", "dropout", "batch_size"];
    let written = written.map(|key| line(&config, key).trim());
    let seed = written[0].strip_prefix("seed_everything: ").unwrap();
    assert!(seed.parse::<i64>().is_ok(), "{seed}");
    assert_eq!(
        written[1..],
        ["max_epochs: 3", "accumulate_grad_batches: 2", "lr: 0.2", "dropout: 0.4", "batch_size: 5"]
    );

    program.run(&["fit", "--config", &format!("{FIRST}/config.yaml")]);
    assert_same_run(&program, FIRST, SECOND);
    let again = program.read(&format!("{SECOND}/config.yaml"));
    let values = |config: &str| config.split("\nenvironment:").next().unwrap().to_owned();
    assert_eq!(values(&again), values(&config));

    // another seed is drawn by the original configuration
    program.run(&["fit", "--config", "run.yaml"]);
    let third = program.read("lightning_logs/version_2/config.yaml");
    assert_ne!(line(&third, "seed_everything"), line(&config, "seed_everything"));
}

#[test]
fn saved_configuration_of_a_resumed_run_names_the_file_it_resumed_from() {
    let program = Program::new();
    program.run(&["fit", "--max-epochs", "1", "--seed-everything", "random"]);
    program.run(&["fit", "--max-epochs", "3", "--ckpt-path", "last", "--seed-everything", "5"]);
    let config = program.read(&format!("{SECOND}/config.yaml"));
    assert_eq!(line(&config, "ckpt_path"), format!("ckpt_path: ./{FIRST}/checkpoints/epoch=0-step=10.ckpt"));
    program.run(&["fit", "--config", &format!("{SECOND}/config.yaml")]);
    assert_same_run(&program, SECOND, "lightning_logs/version_2");
}

#[test]
fn saved_configuration_describes_the_environment() {
    let program = Program::new();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(program.path("")).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    program.write("tracked", "1");
    git(&["add", "tracked"]);
    git(&["commit", "--quiet", "--message", "one"]);
    program.run(&["fit", "--max-steps", "1", "--accelerator", "cpu"]);
    let config = program.read(&format!("{FIRST}/config.yaml"));
    assert_eq!(line(&config, "git_revision").trim(), format!("git_revision: {}", git(&["rev-parse", "HEAD"])));
    assert_eq!(line(&config, "git_dirty").trim(), "git_dirty: false");
    assert_eq!(line(&config, "device").trim(), "device: cpu");
    assert_eq!(line(&config, "libtorch").trim(), format!("libtorch: {}", tch_lightning::device::libtorch_version()));
    assert!(line(&config, "program").ends_with("/configured"), "{config}");
    let hash = line(&config, "program_hash").trim().strip_prefix("program_hash: xxh3:").unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    for key in ["host", "date", "tch_lightning", "threads", "command"] {
        line(&config, key);
    }

    program.write("tracked", "2");
    program.run(&["fit", "--config", &format!("{FIRST}/config.yaml")]);
    let config = program.read(&format!("{SECOND}/config.yaml"));
    assert_eq!(line(&config, "git_dirty").trim(), "git_dirty: true");
}

#[test]
fn saved_configuration_is_only_in_folders_of_runs() {
    let program = Program::new();
    program.run(&["fit", "--fast-dev-run"]);
    program.run(&["fit", "--max-epochs", "1", "--logger", "false", "--enable-checkpointing", "false"]);
    assert_eq!(super::files(&program.path("")), Vec::<std::path::PathBuf>::new());
    // a run without loggers has a folder from its first checkpoint on
    program.run(&["fit", "--max-epochs", "1", "--logger", "false"]);
    assert_eq!(line(&program.read(&format!("{FIRST}/config.yaml")), "logger").trim(), "logger: false");
    // a test has a configuration of its own, with the checkpoint that was found
    program.run(&["test"]);
    let config = program.read(&format!("{SECOND}/config.yaml"));
    assert_eq!(line(&config, "ckpt_path"), format!("ckpt_path: ./{FIRST}/checkpoints/epoch=0-step=10.ckpt"));
    program.run(&["test", "--config", &format!("{SECOND}/config.yaml")]);
    let csv = |run: &str| program.read(&format!("{run}/metrics.csv"));
    assert_eq!(csv(SECOND), csv("lightning_logs/version_2"));
}
