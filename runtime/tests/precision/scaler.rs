//! Tests the scaler against `torch.amp.GradScaler`.

use crate::table::TABLE;
use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{Lbfgs, Optimizer, Sgd};
use tch_lightning::precision::{GradScaler, GradScalerState};

fn parameter() -> Tensor {
    Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true)
}

fn named(tensor: &Tensor) -> Vec<(String, Tensor)> {
    vec![("weight".to_owned(), tensor.shallow_clone())]
}

#[test]
fn defaults_match_pytorch() {
    assert_eq!(GradScalerState::default(), TABLE.scaler[0].begins);
}

#[test]
fn scale_and_steps_match_pytorch() {
    for case in &TABLE.scaler {
        let mut scaler = GradScaler::new(case.begins, Device::Cpu).unwrap();
        let parameters = [parameter(), parameter()];
        let mut optimizers = parameters.each_ref().map(|tensor| Optimizer::new(Sgd::new(0.1), named(tensor)).unwrap());
        for (infinite, expected) in case.infinite.iter().zip(&case.states) {
            for ((parameter, optimizer), is_infinite) in parameters.iter().zip(&mut optimizers).zip(infinite) {
                optimizer.zero_grad().unwrap();
                let loss = parameter.sum(Kind::Float) * if *is_infinite { f64::INFINITY } else { 0.5 };
                scaler.scale(&loss).unwrap().backward();
                scaler.unscale(optimizer).unwrap();
                optimizer.step().unwrap();
            }
            scaler.update().unwrap();
            let state = scaler.state().unwrap();
            assert_eq!((state.scale, state.growth_tracker), (expected.scale, expected.growth_tracker));
            for (parameter, expected) in parameters.iter().zip(expected.points) {
                assert_eq!(Vec::<f64>::try_from(parameter.detach().to_kind(Kind::Double)).unwrap(), expected);
            }
        }
    }
}

#[test]
fn scaler_continues_from_its_state() {
    let case = &TABLE.scaler[1];
    let state = GradScalerState { growth_tracker: 1, ..case.begins };
    let mut scaler = GradScaler::new(serde_json::from_value(serde_json::json!(state)).unwrap(), Device::Cpu).unwrap();
    assert_eq!(scaler.state().unwrap(), state);
    let weight = parameter();
    let mut optimizer = Optimizer::new(Sgd::new(0.1), named(&weight)).unwrap();
    scaler.unscale(&mut optimizer).unwrap();
    scaler.update().unwrap();
    assert_eq!(scaler.get_scale().double_value(&[]), case.begins.scale * case.begins.growth_factor);
}

#[test]
fn dropped_gradients_do_not_skip_a_step() {
    let mut scaler = GradScaler::new(GradScalerState::default(), Device::Cpu).unwrap();
    let weight = parameter();
    let mut optimizer = Optimizer::new(Sgd::new(0.5), named(&weight)).unwrap();
    (weight.sum(Kind::Float) * f64::INFINITY).backward();
    scaler.unscale(&mut optimizer).unwrap();
    optimizer.zero_grad().unwrap();
    weight.sum(Kind::Float).backward();
    optimizer.step().unwrap();
    assert_eq!(weight, Tensor::from_slice(&[0.5f32; 2]));
}

#[test]
fn lbfgs_is_refused() {
    let mut scaler = GradScaler::new(GradScalerState::default(), Device::Cpu).unwrap();
    let mut optimizer = Optimizer::new(Lbfgs::new(1.0), named(&parameter())).unwrap();
    let error = scaler.unscale(&mut optimizer).unwrap_err().to_string();
    assert!(error.ends_with("and do not scale gradients"), "{error}");
}
