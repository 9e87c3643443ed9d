//! Trains the language model, and fine-tunes it by adapters, as a user does.

use std::path::Path;
use std::process::Command;

fn succeed(program: &str, folder: &Path, arguments: &str) -> (String, String) {
    let mut command = Command::new(program);
    // tests run in parallel, and would compete for the cores
    command.env("OMP_NUM_THREADS", "1").current_dir(folder).args(arguments.split_whitespace());
    let output = command.output().unwrap();
    let [said, log] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "`{arguments}` failed: {said}{log}");
    (said, log)
}

/// Returns the values of a column of a run's metrics.
fn logged(folder: &Path, run: &str, column: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(folder.join("lightning_logs").join(run).join("metrics.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    reader.records().filter_map(|row| row.unwrap()[place].parse().ok()).collect()
}

/// Returns the value of a metric in a table that the program printed.
fn metric(table: &str, name: &str) -> f64 {
    let row = table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}: {table}"));
    row.trim_matches(['|', ' ']).rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn text_is_learned_and_adapters_learn_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [gpt, lora] = [env!("CARGO_BIN_EXE_gpt"), env!("CARGO_BIN_EXE_lora")];
    succeed(gpt, folder, "fit --max-epochs 3 --width 64 --layers 2 --dropout 0");
    let losses = logged(folder, "version_0", "val_loss");
    // bytes drawn by their frequencies alone have a loss of 3.3
    assert!(losses.len() == 3 && losses[2] < 2.6 && losses[2] < losses[0], "{losses:?}");
    let (text, _) = succeed(gpt, folder, "sample --length 200 --prompt KING");
    assert!(text.starts_with("KING") && text.len() > 190, "{text}");
    assert!(
        text.chars().filter(|letter| letter.is_ascii_alphabetic() || letter.is_whitespace()).count() > 130,
        "{text}"
    );

    succeed(gpt, folder, "export best --weights base.safetensors");
    let (before, _) = succeed(gpt, folder, "validate --ckpt-path best --text licence");
    let (said, log) = succeed(lora, folder, "fit --text licence --max-epochs 10");
    assert!(log.contains("16,384 trainable parameters, 120,576 frozen"), "{log}");
    let run = folder.join(said.lines().find_map(|line| line.strip_prefix("adapter: ")).unwrap().trim());
    let losses = logged(folder, run.parent().unwrap().file_name().unwrap().to_str().unwrap(), "val_loss");
    assert!(losses[9] < metric(&before, "val_loss") - 0.25, "{losses:?}, and {before} without adapters");
    assert!(run.join("adapter_config.json").exists() && run.join("adapter_model.safetensors").exists());
    assert!(run.with_file_name("merged.safetensors").exists());
    // the base is not saved again
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let checkpoints = std::fs::read_dir(run.with_file_name("checkpoints")).unwrap();
    let checkpoint = checkpoints.map(|file| file.unwrap().path()).next().unwrap();
    assert!(size(&checkpoint) < size(&folder.join("base.safetensors")) / 2, "{checkpoint:?}");
    succeed(lora, folder, &format!("fit --text licence --max-epochs 11 --ckpt-path {}", checkpoint.display()));
}
