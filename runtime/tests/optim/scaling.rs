//! Tests of steps that are skipped because a gradient overflowed. The trajectories of `table.py` contain some of them.

use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Algorithm, Lion, NAdam, Optimizer, ParameterGroups, RAdam,
    RmsProp, Sgd,
};

use crate::table::{Memory, flat};

fn named(tensor: &Tensor) -> Vec<(String, Tensor)> {
    vec![("weight".to_owned(), tensor.shallow_clone())]
}

#[test]
fn skipped_step_changes_neither_parameters_nor_state() {
    let algorithms: [Algorithm; 4] =
        [Sgd::new(0.1).momentum(0.9).into(), Adam::new(0.1).into(), NAdam::new(0.1).into(), RmsProp::new(0.1).into()];
    for algorithm in algorithms {
        for memory in [Memory::Dense, Memory::WithGaps] {
            let name = algorithm.name();
            let weight = memory.parameter(&Tensor::from_slice(&[1.0f32, 2.0]));
            let mut optimizer = Optimizer::new(algorithm.clone(), named(&weight)).unwrap();
            weight.square().sum(Kind::Float).backward();
            optimizer.step().unwrap();
            let before = values(&optimizer, &weight);

            optimizer.step_unless(&Tensor::from(1f32)).unwrap();
            assert_eq!(values(&optimizer, &weight), before, "{name}");
            optimizer.step_unless(&Tensor::from(0f32)).unwrap();
            assert_ne!(values(&optimizer, &weight), before, "{name}");
            assert_eq!(optimizer.steps(), 3);
        }
    }
}

/// Every algorithm whose steps can be skipped, with options that add state.
fn algorithms() -> Vec<Algorithm> {
    let sgd = Sgd::new(0.1);
    vec![
        sgd.into(),
        sgd.momentum(0.9).into(),
        sgd.momentum(0.9).dampening(0.5).into(),
        Adam::new(0.1).into(),
        Adam::new(0.1).amsgrad(true).into(),
        AdamW::new(0.1).into(),
        Adamax::new(0.1).into(),
        NAdam::new(0.1).into(),
        RAdam::new(0.1).into(),
        RmsProp::new(0.1).into(),
        RmsProp::new(0.1).momentum(0.9).centered(true).into(),
        Adagrad::new(0.1).into(),
        Adadelta::new(0.1).into(),
        Adafactor::new(0.1).into(),
        Lion::new(0.1).into(),
    ]
}

/// The state and the weights after four steps, two of which have `found_inf`, including the first, which creates the state.
fn after_steps(algorithm: &Algorithm, kind: Kind, memory: Memory, found_inf: f64) -> Vec<f64> {
    let weight = memory.parameter(&Tensor::from_slice(&[1.0, 2.0]).to_kind(kind));
    let mut optimizer = Optimizer::new(algorithm.clone(), named(&weight)).unwrap();
    for found_inf in [found_inf, 0.0, found_inf, 0.0] {
        optimizer.zero_grad().unwrap();
        weight.square().sum(kind).backward();
        optimizer.step_unless(&Tensor::from(found_inf as f32)).unwrap();
    }
    values(&optimizer, &weight)
}

/// The state and the weights after steps without `found_inf`.
fn after_plain_steps(algorithm: &Algorithm, kind: Kind, memory: Memory, steps: usize) -> Vec<f64> {
    let weight = memory.parameter(&Tensor::from_slice(&[1.0, 2.0]).to_kind(kind));
    let mut optimizer = Optimizer::new(algorithm.clone(), named(&weight)).unwrap();
    for _ in 0..steps {
        optimizer.zero_grad().unwrap();
        weight.square().sum(kind).backward();
        optimizer.step().unwrap();
    }
    values(&optimizer, &weight)
}

fn values(optimizer: &Optimizer, weight: &Tensor) -> Vec<f64> {
    let state = optimizer.state().unwrap().into_iter().map(|(_, tensor)| tensor);
    flat(&state.chain([weight.detach()]).collect::<Vec<_>>())
}

#[test]
fn step_unless_skips_for_anything_but_0() {
    let denormal = f64::from(f32::from_bits(1));
    let set = [1.0, 2.0, 0.5, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, denormal];
    for algorithm in algorithms() {
        for (kind, memory) in [
            (Kind::Float, Memory::Dense),
            (Kind::Double, Memory::Dense),
            (Kind::Float, Memory::WithGaps),
            (Kind::Double, Memory::WithGaps),
        ] {
            let [two, four] = [2, 4].map(|steps| after_plain_steps(&algorithm, kind, memory, steps));
            for found_inf in set {
                assert_eq!(after_steps(&algorithm, kind, memory, found_inf), two, "{algorithm:?} {kind:?} {found_inf}");
            }
            for found_inf in [0.0, -0.0] {
                assert_eq!(
                    after_steps(&algorithm, kind, memory, found_inf),
                    four,
                    "{algorithm:?} {kind:?} {found_inf}"
                );
            }
        }
    }
}

#[test]
fn unscale_gradients_includes_all_groups_and_dtypes() {
    let parameter = |name: &str, kind| {
        let tensor = Tensor::ones([2], (kind, Device::Cpu)).set_requires_grad(true);
        (name.to_owned(), tensor)
    };
    let parameters =
        vec![parameter("a", Kind::Float), parameter("b", Kind::Double), parameter("c", Kind::ComplexFloat)];
    let tensors: Vec<Tensor> = parameters.iter().map(|(_, tensor)| tensor.shallow_clone()).collect();
    let groups = ParameterGroups::new(Sgd::new(0.1)).group("b", Sgd::new(0.1));
    let mut optimizer = Optimizer::new(groups, parameters).unwrap();
    let backward = |factor: f64| {
        tensors.iter().map(|tensor| (tensor.abs() * factor).sum(Kind::Double)).sum::<Tensor>().backward();
    };
    let gradients = || tensors.iter().map(|tensor| tensor.grad()).collect::<Vec<_>>();

    backward(8.0);
    let (inv_scale, found_inf) = (Tensor::from(0.25f32), Tensor::from(0f32));
    optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap();
    assert_eq!(flat(&gradients()), [2.0, 2.0, 2.0, 2.0, 2.0, 0.0, 2.0, 0.0]);
    assert_eq!(found_inf.double_value(&[]), 0.0);

    optimizer.zero_grad().unwrap();
    (&tensors[1] * f64::INFINITY).sum(Kind::Double).backward();
    optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap();
    assert_eq!(found_inf.double_value(&[]), 1.0);
    optimizer.zero_grad().unwrap();
    backward(1.0);
    optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap();
    assert_eq!(found_inf.double_value(&[]), 1.0, "`found_inf` is not reset");
}

#[test]
fn unscale_gradients_rejects_float16() {
    let weight = Tensor::ones([2], (Kind::Half, Device::Cpu)).set_requires_grad(true);
    let mut optimizer = Optimizer::new(Sgd::new(0.1), named(&weight)).unwrap();
    let (inv_scale, found_inf) = (Tensor::from(0.25f32), Tensor::from(0f32));
    optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap();
    weight.sum(Kind::Half).backward();
    assert_eq!(
        optimizer.unscale_gradients(&inv_scale, &found_inf).unwrap_err().to_string(),
        "SGD cannot unscale the gradient of `weight`, which is float16; keep parameters in float32, and let autocast \
         compute in float16"
    );
}

#[test]
fn step_unless_rejects_a_flag_that_is_not_one_f32_number() {
    let weight = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let mut optimizer = Optimizer::new(Sgd::new(0.1), named(&weight)).unwrap();
    weight.sum(Kind::Float).backward();
    assert_eq!(
        optimizer.step_unless(&Tensor::from_slice(&[0f64, 1.0])).unwrap_err().to_string(),
        "SGD cannot step: `found_inf` is CPUDoubleType[2], and it must be one f32 number"
    );
}
