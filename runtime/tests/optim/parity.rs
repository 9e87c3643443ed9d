use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{Adam, Algorithm, Optimizer, Sgd};

use crate::table::{Case, Memory, Problem, TABLE};

fn follow(case: &'static Case, memory: Memory) {
    let mut problem = Problem::new(case, memory);
    for (step, expected) in case.trajectory.iter().enumerate() {
        let found = problem.step(step);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let allowed = case.tolerance() * expected.abs().max(0.1);
            assert!(
                (found - expected).abs() <= allowed,
                "{}, step {step}: {found} where PyTorch has {expected}",
                case.name
            );
        }
    }
    assert_eq!(problem.optimizer.steps(), case.trajectory.len() as u64);
}

#[test]
fn trajectories_are_pytorchs() {
    assert_eq!(TABLE.cases.len(), 14);
    for case in &TABLE.cases {
        follow(case, Memory::Dense);
    }
}

#[test]
fn trajectories_are_pytorchs_where_no_fused_kernel_serves() {
    for case in &TABLE.cases {
        follow(case, Memory::WithGaps);
    }
}

/// By the formulas, from 1 with the gradient 2: SGD goes to 1 - 0.1 * 2, and Adam's first step is as long as its rate.
#[test]
fn first_steps_in_every_floating_type() {
    let algorithms: [(Algorithm, f64); 2] = [(Sgd::new(0.1).into(), 0.8), (Adam::new(0.1).into(), 0.9)];
    for (kind, precision) in [(Kind::Double, 1e-8), (Kind::Float, 1e-6), (Kind::Half, 1e-3), (Kind::BFloat16, 8e-3)] {
        for (algorithm, expected) in algorithms.clone() {
            let weight = Tensor::ones([5], (kind, Device::Cpu)).set_requires_grad(true);
            let named = vec![("weight".to_owned(), weight.shallow_clone())];
            let mut optimizer = Optimizer::new(algorithm, named).unwrap();
            (&weight * 2.0).sum(kind).backward();
            optimizer.step().unwrap();
            for index in 0..5 {
                let found = weight.double_value(&[index]);
                assert!((found - expected).abs() <= precision, "{kind:?}: {found} instead of {expected}");
            }
        }
    }
}
