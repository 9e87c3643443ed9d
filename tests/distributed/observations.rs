//! What hooks see and print in runs of two processes.

use super::processes::said;
use super::scenarios::{results, scenario};
use serde_json::json;

#[test]
fn validation_in_fit_uses_the_buffers_of_rank_zero() {
    for rank in results("observed", 2) {
        // 4 steps of rank 0, and 3 validation samples
        assert_eq!(rank["validated_with"], json!([4.0, 4.0, 4.0]));
    }
}

#[test]
fn callback_metrics_at_the_end_of_an_epoch_are_those_of_all_processes() {
    for rank in results("observed", 2) {
        assert_eq!(rank["metrics"], json!([0.5, 0.5]));
    }
}

#[test]
fn print_appears_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = said(&scenario("observed", 2, folder.path()));
    assert_eq!(said.matches("the epoch is done").count(), 1, "{said}");
    // the 5 samples of its validation are not the result of a `fit`
    assert!(!said.contains("count twice"), "{said}");
}
