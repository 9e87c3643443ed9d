//! A run on several GPUs is that of one process on the CPU with the whole batches.

use super::equality::distance;
use super::scenarios::{results, results_on};
use tch_lightning::device::{CudaStatus, cuda_status};

/// Whether there are two GPUs; says why not.
fn has_two_gpus() -> bool {
    let status = cuda_status();
    let has_two = matches!(status, CudaStatus::Usable { devices: 2.. });
    if !has_two {
        println!("skipped: two GPUs are needed: CUDA is {status}");
    }
    has_two
}

#[test]
fn weights_on_two_gpus_are_those_of_one_process_with_the_whole_batches() {
    if !has_two_gpus() {
        return;
    }
    for scenario in ["plain", "plain_accumulation", "unused", "static_graph", "views", "sync_batch_norm", "no_loss"] {
        let whole = &if scenario == "no_loss" { results(scenario, 2) } else { results(scenario, 1) }[0];
        let ranks = results_on("cuda", scenario, 2);
        assert!(distance(whole, &ranks[0]) < 1e-5, "{scenario}: {}", distance(whole, &ranks[0]));
        assert_eq!(ranks[0]["weights"], ranks[1]["weights"], "{scenario}");
        assert_eq!(ranks[0]["steps"], whole["steps"], "{scenario}");
    }
}
