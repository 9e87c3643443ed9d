use std::process::Command;

use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Algorithm, Lbfgs, Lion, NAdam, Optimizer, Progress, RAdam,
    RmsProp, Sgd,
};

use crate::table::{Case, Memory, Problem, TABLE};

fn follow(case: &'static Case, memory: Memory) {
    let mut problem = Problem::new(case, memory);
    for step in 0..TABLE.steps {
        let found = problem.step(step);
        let Some(expected) = case.point(step) else {
            continue;
        };
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let allowed = case.tolerance() * expected.abs().max(0.1);
            assert!(
                (found - expected).abs() <= allowed,
                "{}, step {step}: {found}, but PyTorch has {expected}",
                case.name
            );
        }
    }
    assert_eq!(problem.optimizer.steps(), TABLE.steps as u64);
}

/// Follows the table with the CPU instructions that it was computed with, and those of MKL that all processors have. Others round differently, and in some cases the
/// difference grows to 1 % over 50 steps, in PyTorch itself. As libtorch chooses once per process, the test runs in a child
/// process.
fn follow_all(test: &str, memory: Memory) {
    const INSTRUCTIONS: &str = "ATEN_CPU_CAPABILITY";
    assert_eq!(TABLE.cases.len(), 105);
    if std::env::var_os(INSTRUCTIONS).is_some_and(|chosen| chosen == "avx2") {
        TABLE.cases.iter().for_each(|case| follow(case, memory));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output =
        child.args(["--exact", test]).env(INSTRUCTIONS, "avx2").env("MKL_CBWR", "COMPATIBLE").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[test]
fn trajectories_agree_with_pytorch() {
    follow_all("parity::trajectories_agree_with_pytorch", Memory::Dense);
}

#[test]
fn trajectories_without_fused_kernels_agree_with_pytorch() {
    follow_all("parity::trajectories_without_fused_kernels_agree_with_pytorch", Memory::WithGaps);
}

/// The expected values follow from the formulas, from 1 with the gradient 2.
#[test]
fn first_steps_agree_with_the_formulas_in_every_dtype() {
    let (mu, mu_next) = (0.9 * (1.0 - 0.5 * 0.96_f64.powf(0.004)), 0.9 * (1.0 - 0.5 * 0.96_f64.powf(0.008)));
    let algorithms: [(Algorithm, f64); 12] = [
        (Sgd::new(0.1).into(), 1.0 - 0.1 * 2.0),
        (Adam::new(0.1).into(), 0.9),
        (AdamW::new(0.1).weight_decay(0.5).into(), 0.95 - 0.1),
        (Adamax::new(0.1).into(), 0.9),
        (NAdam::new(0.1).into(), 0.9 - 0.1 * 0.1 * mu_next / (1.0 - mu * mu_next)),
        (RAdam::new(0.1).into(), 1.0 - 0.1 * 2.0),
        (RmsProp::new(0.05).into(), 1.0 - 0.05 * 2.0 / ((0.01 * 2.0_f64.powi(2)).sqrt() + 1e-8)),
        (Adagrad::new(0.1).into(), 0.9),
        (Adadelta::new(1.0).eps(0.01).into(), 1.0 - 2.0 * 0.1 / (0.1 * 2.0_f64.powi(2) + 0.01).sqrt()),
        (Adafactor::new(0.1).into(), 0.9),
        (Lion::new(0.1).weight_decay(0.5).into(), 0.95 - 0.1),
        (Lbfgs::new(1.0).max_iter(1).into(), 1.0 - 2.0 / (5.0 * 2.0)),
    ];
    for (kind, precision) in [(Kind::Double, 1e-8), (Kind::Float, 1e-6), (Kind::Half, 1e-3), (Kind::BFloat16, 8e-3)] {
        for (algorithm, expected) in algorithms.clone() {
            let name = algorithm.name();
            let weight = Tensor::ones([5], (kind, Device::Cpu)).set_requires_grad(true);
            let named = vec![("weight".to_owned(), weight.shallow_clone())];
            let mut optimizer = Optimizer::new(algorithm, named).unwrap();
            let loss = (&weight * 2.0).sum(kind);
            loss.backward();
            assert_eq!(optimizer.step_on(Some(&loss)).unwrap(), Progress::Done);
            for index in 0..5 {
                let found = weight.double_value(&[index]);
                assert!((found - expected).abs() <= precision, "{name}, {kind:?}: {found} instead of {expected}");
            }
        }
    }
}

/// The gradient of `x.conj()` is conjugated lazily: it shares its memory with its conjugate.
#[test]
fn lazily_conjugated_gradients_are_resolved() {
    let weight = Tensor::ones([2], (Kind::ComplexDouble, Device::Cpu)).set_requires_grad(true);
    let mut optimizer = Optimizer::new(Sgd::new(0.5), vec![("weight".to_owned(), weight.shallow_clone())]).unwrap();
    let parts =
        |tensor: &Tensor| Vec::<f64>::try_from(tensor.detach().resolve_conj().view_as_real().flatten(0, -1)).unwrap();
    let towards = Tensor::complex(&Tensor::from_slice(&[1.0, 2.0]), &Tensor::from_slice(&[3.0, 4.0]));
    (weight.conj() * towards).real().sum(Kind::Double).backward();
    let before = parts(&weight.grad());

    let (inv_scale, found_inf) = (Tensor::from(0.5f32), Tensor::from(0f32));
    optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap();

    assert_eq!(parts(&weight.grad()), before.iter().map(|part| part / 2.0).collect::<Vec<_>>());
    optimizer.step().unwrap();
    let expected: Vec<f64> = [1.0, 0.0, 1.0, 0.0].iter().zip(&before).map(|(start, part)| start - part / 4.0).collect();
    assert_eq!(parts(&weight), expected);
}

/// A schedule that cycles momentum may set the momentum of an SGD without one: the buffer starts with the next gradient.
#[test]
fn momentum_may_be_set_after_the_first_step() {
    for memory in [Memory::Dense, Memory::WithGaps] {
        let weight = memory.parameter(&Tensor::from_slice(&[1.0f64, 1.0]));
        let mut optimizer = Optimizer::new(Sgd::new(0.1), vec![("weight".to_owned(), weight.shallow_clone())]).unwrap();
        let step = |optimizer: &mut Optimizer| {
            optimizer.zero_grad().unwrap();
            (&weight * 2.0).sum(Kind::Double).backward();
            optimizer.step().unwrap();
            weight.double_value(&[0])
        };
        assert!((step(&mut optimizer) - 0.8).abs() < 1e-12);
        assert_eq!(optimizer.groups()[0].momentum(), Some(0.0));
        optimizer.groups_mut()[0].set_momentum(0.5).unwrap();
        assert!((step(&mut optimizer) - 0.6).abs() < 1e-12);
        assert!((step(&mut optimizer) - (0.6 - 0.1 * (0.5 * 2.0 + 2.0))).abs() < 1e-12);
    }
}
