//! A run of several processes is that of one process with the whole batches, and its replicas stay equal bit for bit.

use super::processes::said;
use super::scenarios::{results, scenario};
use serde_json::Value;

/// The largest difference of two weights.
pub fn distance(one: &Value, other: &Value) -> f64 {
    let numbers = |result: &Value| -> Vec<f64> {
        let weights = result["weights"].as_object().unwrap().values();
        weights.flat_map(|weights| weights.as_array().unwrap()).map(|weight| weight.as_f64().unwrap()).collect()
    };
    let (one, other) = (numbers(one), numbers(other));
    assert_eq!(one.len(), other.len());
    one.iter().zip(&other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

fn metric(result: &Value, name: &str) -> f64 {
    result["metrics"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {result}"))
}

#[test]
fn weights_are_those_of_one_process_with_the_whole_batches() {
    for scenario in [
        "plain",
        "plain_accumulation",
        "plain_accumulation_3",
        "unused",
        "unused_accumulation",
        "unused_accumulation_3",
        "static_graph",
        "static_graph_accumulation",
        "static_graph_accumulation_3",
        "static_graph_and_unused",
        "static_graph_and_unused_accumulation",
        "static_graph_and_unused_accumulation_3",
        "views",
        "views_accumulation_3",
        "sync_batch_norm",
    ] {
        let whole = &results(scenario, 1)[0];
        for processes in [2, 4] {
            let ranks = results(scenario, processes);
            let [first, others @ ..] = ranks.as_slice() else { panic!("no rank") };
            assert!(distance(whole, first) < 1e-5, "{scenario} with {processes}: {}", distance(whole, first));
            for other in others {
                assert_eq!(first["weights"], other["weights"], "{scenario} with {processes}");
                assert_eq!(first["steps"], whole["steps"], "{scenario} with {processes}");
            }
        }
    }
}

#[test]
fn weights_are_near_with_compressed_gradients() {
    let (whole, ranks) = (&results("plain", 1)[0], results("bf16", 2));
    assert_eq!(ranks[0]["weights"], ranks[1]["weights"]);
    // bfloat16 has 8 bits
    let distance = distance(whole, &ranks[0]);
    assert!((1e-6..2e-2).contains(&distance), "{distance}");
}

#[test]
fn logged_values_are_those_of_all_processes_with_sync_dist() {
    let (whole, ranks) = (&results("plain", 1)[0], results("plain", 2));
    for rank in &ranks {
        for name in ["loss_epoch", "samples"] {
            assert!((metric(whole, name) - metric(rank, name)).abs() < 1e-5, "{name}: {whole} {rank}");
        }
        assert_eq!(metric(rank, "samples"), 48.0);
        assert_eq!(metric(rank, "loss_step"), metric(&ranks[0], "loss_step"));
    }
    let own = ranks.iter().map(|rank| metric(rank, "own_loss"));
    let mean = own.clone().sum::<f64>() / 2.0;
    assert_ne!(metric(&ranks[0], "own_loss"), metric(&ranks[1], "own_loss"));
    assert!((mean - metric(whole, "loss_epoch")).abs() < 1e-5);
}

#[test]
fn buffers_are_those_of_rank_zero() {
    let ranks = results("buffers", 2);
    assert_eq!(ranks[0]["weights"], ranks[1]["weights"]);
    let means = ranks.iter().map(|rank| rank["running_mean"].as_array().unwrap());
    assert!(means.clone().all(|mean| mean.iter().any(|value| value.as_f64().unwrap() != 0.0)));
}

#[test]
fn rank_without_a_loss_takes_part_with_zeros() {
    let ranks = results("no_loss", 2);
    assert_eq!(ranks[0]["weights"], ranks[1]["weights"]);
    assert_eq!(ranks[0]["steps"], 12);
}

#[test]
fn parameter_without_a_gradient_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = scenario("unused_undeclared", 2, folder.path());
    assert!(!output.status.success());
    let said = said(&output);
    let sentence = "the parameters `branch.bias`, `branch.weight` had no gradient in this step, for which the other ranks wait: write \
                    `strategy: ddp_find_unused_parameters_true` (`--strategy`) if some steps do not use all parameters, as with \
                    `toggle_optimizer`; freeze parameters that no step uses with `requires_grad_(false)` before training";
    assert!(said.contains(sentence), "{said}");
}
