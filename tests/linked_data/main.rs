//! A constructor that takes the data module, in the generated program.

use std::process::Command;
use tch_lightning::checkpoint::Checkpoint;
use tempfile::TempDir;

/// Returns what the program wrote to stdout and to stderr. It must succeed.
fn run(folder: &TempDir, arguments: &[&str]) -> (String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_linked_data"));
    let output = program.env("OMP_NUM_THREADS", "1").current_dir(folder).args(arguments).output().unwrap();
    let (results, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{arguments:?} failed: {results}{log}");
    (results, log)
}

#[test]
fn model_is_constructed_after_its_data_module_with_the_size_of_the_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--max-epochs", "1", "--default-root-dir", "runs", "--enable-progress-bar", "false"];
    let (calls, log) = run(&folder, &[&["fit", "--text", "to be or not to be"], &options[..]].concat());
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls, ["new: data module", "new: model", "prepare_data", "setup"]);

    let file = log.lines().find_map(|line| line.strip_prefix("the run's folder is ")).unwrap();
    let checkpoints = folder.path().join(file).join("checkpoints");
    let file = std::fs::read_dir(checkpoints).unwrap().next().unwrap().unwrap().path();
    let checkpoint = Checkpoint::read(&file).unwrap();
    // the blank, b, e, n, o, r and t
    assert_eq!(checkpoint.tensors["module.embedding.weight"].size(), [7, 3]);
    let saved = checkpoint.metadata.hyper_parameters.unwrap();
    assert_eq!(saved["data"]["text"], "to be or not to be");

    // the size of the vocabulary follows from the data module's saved hyperparameters
    let (_, log) = run(&folder, &["predict", "--ckpt-path", file.to_str().unwrap()]);
    assert!(log.ends_with("predicted 9 batches\n"), "{log}");
}

#[test]
fn text_that_differs_from_the_checkpoints_is_refused_with_the_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let (_, log) = run(&folder, &["fit", "--text", "to be or not to be", "--max-epochs", "1"]);
    assert!(log.contains("the run's folder is "), "{log}");
    let mut program = Command::new(env!("CARGO_BIN_EXE_linked_data"));
    let output = program.current_dir(&folder).args(["predict", "--text", "abc"]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    let mistake = "does not fit the module: of another shape: embedding.weight ([7, 3] instead of [3, 3]); hyperparameters differ: \
                   `data.text` was \"to be or not to be\" in the checkpoint and is \"abc\" now\n";
    assert!(log.ends_with(mistake), "{log}");
}
