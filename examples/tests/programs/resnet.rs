//! Trains the ResNet on some digits, and transfers it to others, as a user does.

use crate::run::{logged, succeed};
use std::path::Path;

const RESNET: &str = env!("CARGO_BIN_EXE_resnet");

/// Returns the best accuracy of a run.
fn best(folder: &Path, run: &str) -> f64 {
    logged(folder, run, "val_acc").into_iter().fold(0.0, f64::max)
}

#[test]
fn pretrained_network_learns_other_digits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(RESNET, folder, "fit --max-epochs 3 --shots 60 --batch-size 20");
    // one in five is right by chance
    assert!(best(folder, "version_0") > 0.6, "{}", best(folder, "version_0"));
    succeed(RESNET, folder, "export best --weights low.safetensors");
    let transfer =
        "fit --digits high --shots 10 --batch-size 10 --max-epochs 6 --unfreeze-at 2 --pretrained low.safetensors";
    succeed(RESNET, folder, transfer);
    assert!(best(folder, "version_1") > 0.4, "{}", best(folder, "version_1"));
}
