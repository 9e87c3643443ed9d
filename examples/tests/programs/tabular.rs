//! Trains on tables as a user does, and checks the predicted probabilities.

use crate::run::{metric, succeed};

#[test]
fn probabilities_are_close_to_those_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, program) = (folder.path(), env!("CARGO_BIN_EXE_tabular"));
    succeed(program, folder, "fit");
    let (table, log) = succeed(program, folder, "test");
    assert!(folder.join("lightning_logs/version_1/calibration.png").exists(), "{log}");
    for branch in 0..2 {
        let of = |name: &str| metric(&table, &format!("{name}/dataloader_idx_{branch}"));
        // the frequencies alone have a loss of about 0.5 in the north and 0.65 in the south
        let lowest = of("test_lowest_loss");
        let calibrated = of("test_calibrated_loss");
        assert!(calibrated > lowest && calibrated < lowest + 0.08, "{table}");
        assert!(calibrated < of("test_loss"), "{table}");
        assert!(of("test_calibrated_error") < of("test_calibration_error"), "{table}");
    }
}
