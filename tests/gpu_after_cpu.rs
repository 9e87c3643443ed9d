//! A process that has used the CPU, and seeded it, before anybody spoke of a GPU.

use tch_lightning::prelude::*;
use tch_lightning::{
    device::{Accelerator, CudaStatus, cuda_status},
    seed_everything,
};
use tests::faults::{Net, config, nan_at};

#[test]
fn gpu_is_found_after_a_seed_and_a_run_on_the_cpu() {
    // libtorch looks for CUDA when it is seeded, and makes the threads of its backward passes at the first one
    seed_everything(1);
    let fit = |accelerator| {
        let mut net = Net::new(nan_at(&[]));
        Trainer::new(TrainerConfig { accelerator, ..config() }).fit(&mut net, ()).unwrap();
        net.weights()
    };
    let on_cpu = fit(Accelerator::Cpu);
    let status = cuda_status();
    // a libtorch for the CPU is a choice that the set-up offers; one that missed its own CUDA half sees no device
    if matches!(status, CudaStatus::NoDriver | CudaStatus::NoLibrary { .. }) {
        println!("skipped: CUDA cannot be used: {status}");
        return;
    }
    assert!(matches!(status, CudaStatus::Usable { .. }), "{status}");
    for (on_cpu, on_gpu) in on_cpu.iter().zip(fit(Accelerator::Cuda)) {
        assert!((on_cpu - on_gpu).abs() < 1e-6, "{on_cpu} and {on_gpu}");
    }
}
