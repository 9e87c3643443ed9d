//! Weighted losses, of whose terms the processes have different numbers.

use super::equality::distance;
use super::scenarios::results;

#[test]
fn weighted_losses_train_as_one_process_with_the_whole_batches() {
    for scenario in ["weighted", "weighted_accumulation", "weighted_accumulation_3"] {
        let whole = &results(scenario, 1)[0];
        for processes in [2, 4] {
            let ranks = results(scenario, processes);
            let distance = distance(whole, &ranks[0]);
            assert!(distance < 1e-6, "{scenario} with {processes}: {distance}");
            assert!(ranks.iter().all(|rank| rank == &ranks[0]), "{scenario} with {processes}: {ranks:#?}");
            assert_eq!(ranks[0]["steps"], whole["steps"], "{scenario} with {processes}");
            let loss = |results: &serde_json::Value| results["loss"].as_f64().unwrap();
            assert!((loss(&ranks[0]) - loss(whole)).abs() < 1e-6, "{scenario} with {processes}");
        }
    }
}
