//! Gradients that are accumulated by hand in `no_sync`, and averaged once.

use super::equality::distance;
use super::processes::said;
use super::scenarios::{results, scenario};

#[test]
fn no_sync_trains_as_one_process_with_the_whole_batches() {
    for scenario in ["halves", "windows", "unused", "static_graph", "views"] {
        let scenario = format!("no_sync_{scenario}");
        let whole = &results(&scenario, 1)[0];
        for processes in [2, 4] {
            let ranks = results(&scenario, processes);
            let distance = distance(whole, &ranks[0]);
            assert!(distance < 1e-5, "{scenario} with {processes}: {distance}");
            assert!(ranks.iter().all(|rank| rank == &ranks[0]), "{scenario} with {processes}: {ranks:#?}");
            assert_eq!(ranks[0]["steps"], whole["steps"], "{scenario} with {processes}");
        }
    }
}

#[test]
fn no_sync_may_be_without_a_pass_in_a_process() {
    for processes in [2, 4] {
        let scenario = format!("no_sync_skips_{processes}");
        let (whole, ranks) = (&results(&scenario, 1)[0], results(&scenario, processes));
        assert!(distance(whole, &ranks[0]) < 1e-5, "{processes}: {}", distance(whole, &ranks[0]));
        assert!(ranks.iter().all(|rank| rank == &ranks[0]), "{processes}: {ranks:#?}");
        // the skipped passes make a difference
        assert!(distance(&results("no_sync_halves", 1)[0], whole) > 1e-3);
    }
}

#[test]
fn no_sync_waits_for_no_other_process() {
    // rank 1 begins its first pass when rank 0 has ended two batches, with the buffers that are sent before each step
    let ranks = results("no_sync_ahead", 2);
    assert_eq!(ranks[0], ranks[1]);
    assert_eq!(ranks[0]["weights"], results("no_sync_windows", 2)[0]["weights"]);
}

#[test]
fn stop_in_no_sync_is_agreed_on_with_the_next_averaged_gradients() {
    for rank in results("no_sync_stop", 2) {
        assert_eq!((rank["batches"].as_i64(), rank["steps"].as_i64()), (Some(3), Some(1)), "{rank}");
    }
}

#[test]
fn nan_loss_in_no_sync_skips_the_step_in_all_processes() {
    let (ranks, undisturbed) = (results("no_sync_nan", 2), &results("no_sync_windows", 2)[0]);
    assert_eq!(ranks[0], ranks[1]);
    assert_eq!(ranks[0]["steps"], undisturbed["steps"]);
    assert!(!ranks[0].to_string().contains("null"), "{}", ranks[0]);
    assert!(distance(&ranks[0], undisturbed) > 1e-3);
}

#[test]
fn step_of_gradients_that_were_not_averaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = scenario("no_sync_step_of_local_gradients", 2, folder.path());
    assert!(!output.status.success());
    let sentence = "the processes would differ after this step, as the gradients of the last backward passes are those of each process alone: \
                    call the last `manual_backward` before `manual_step`, and `manual_step` itself, outside of `no_sync`";
    assert!(said(&output).contains(sentence), "{}", said(&output));
    // with one process, there is nothing to average
    results("no_sync_step_of_local_gradients", 1);
}

#[test]
fn no_sync_window_that_is_open_in_a_checkpoint_is_resumed() {
    for processes in [1, 2, 4] {
        assert_eq!(results("no_sync_windows", processes), results("no_sync_resumed", processes), "{processes}");
    }
}
