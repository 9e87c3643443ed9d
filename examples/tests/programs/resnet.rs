//! Trains the ResNet on some digits, and transfers it to others, as a user does.

use std::path::Path;
use std::process::Command;

fn succeed(folder: &Path, arguments: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resnet"));
    // tests run in parallel, and would compete for the cores
    command.env("OMP_NUM_THREADS", "1");
    let output = command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "`{arguments}` failed: {log}");
}

/// Returns the best accuracy of a run.
fn best(folder: &Path, run: &str) -> f64 {
    let mut reader = csv::Reader::from_path(folder.join("lightning_logs").join(run).join("metrics.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|name| name == "val_acc").unwrap();
    reader.records().filter_map(|row| row.unwrap()[place].parse().ok()).fold(0.0, f64::max)
}

#[test]
fn pretrained_network_learns_other_digits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(folder, "fit --max-epochs 3 --shots 60 --batch-size 20");
    // one in five is right by chance
    assert!(best(folder, "version_0") > 0.6, "{}", best(folder, "version_0"));
    succeed(folder, "export best --weights low.safetensors");
    let transfer =
        "fit --digits high --shots 10 --batch-size 10 --max-epochs 6 --unfreeze-at 2 --pretrained low.safetensors";
    succeed(folder, transfer);
    assert!(best(folder, "version_1") > 0.4, "{}", best(folder, "version_1"));
}
