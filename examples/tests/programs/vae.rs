//! Trains the autoencoder as a user does, and checks what it has learned.

use crate::run::{logged, metric, succeed};

#[test]
fn digits_of_a_class_lie_together() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, program) = (folder.path(), env!("CARGO_BIN_EXE_vae"));
    let (_, log) = succeed(program, folder, "fit --max-epochs 25");
    assert!(folder.join("lightning_logs/version_0/plane.png").exists(), "{log}");
    // pixels that are drawn by their means over all digits, each by itself, have a loss of 27.1
    let losses = logged(folder, "version_0", "val_loss");
    assert!(losses[24] < 26.0, "{losses:?}");
    let (table, _) = succeed(program, folder, "test");
    assert!(metric(&table, "test_same_class") > 0.5, "{table}");
}
