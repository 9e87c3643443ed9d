use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{Optimizer, Sgd};

use crate::table::{TABLE, flat};

/// An optimizer whose parameters have the table's gradients, and one parameter without a gradient.
fn with_gradients() -> (Optimizer, [Tensor; 2]) {
    let (matrix, vector) = &TABLE.clipping.gradients;
    let gradients = [Tensor::from_slice(matrix.as_flattened()).view([2, 2]), Tensor::from_slice(vector)];
    let parameters = gradients.each_ref().map(|gradient| gradient.zeros_like().set_requires_grad(true));
    for (parameter, gradient) in parameters.iter().zip(&gradients) {
        (parameter * gradient).sum(Kind::Float).backward();
    }
    let idle = Tensor::zeros([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let named = vec![
        ("matrix".to_owned(), parameters[0].shallow_clone()),
        ("idle".to_owned(), idle),
        ("vector".to_owned(), parameters[1].shallow_clone()),
    ];
    (Optimizer::new(Sgd::new(0.1), named).unwrap(), parameters)
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found} where PyTorch has {expected}");
    }
}

#[test]
fn clip_grad_norm_agrees_with_pytorch() {
    for row in &TABLE.clipping.by_norm {
        let (mut optimizer, parameters) = with_gradients();
        let norm = optimizer.grad_norm().unwrap();
        assert_eq!((norm.size(), norm.kind()), (vec![], Kind::Float));
        assert_close(&[norm.double_value(&[])], &[row.norm]);

        let returned = optimizer.clip_grad_norm(row.limit).unwrap();

        assert_eq!(returned, norm);
        assert_close(&flat(&parameters.map(|p| p.grad())), &row.clipped);
    }
}

#[test]
fn clip_grad_value_agrees_with_pytorch() {
    for row in &TABLE.clipping.by_value {
        let (mut optimizer, parameters) = with_gradients();
        optimizer.clip_grad_value(row.limit).unwrap();
        assert_close(&flat(&parameters.map(|p| p.grad())), &row.clipped);
    }
}

#[test]
fn grad_norm_without_gradients_is_zero() {
    let (mut optimizer, parameters) = with_gradients();
    optimizer.zero_grad().unwrap();
    assert!(parameters.iter().all(|p| !p.grad().defined()));
    assert_eq!(optimizer.grad_norm().unwrap().double_value(&[]), 0.0);
    assert_eq!(optimizer.clip_grad_norm(1.0).unwrap().double_value(&[]), 0.0);
    optimizer.clip_grad_value(1.0).unwrap();
    optimizer.step().unwrap();
    assert_eq!(parameters[1], parameters[1].zeros_like());
}

#[test]
fn grad_norms_have_lightnings_names() {
    let parameters = [("layer.weight", vec![3.0, -4.0]), ("layer.bias", vec![12.0]), ("unused", vec![])];
    let parameters = parameters.map(|(name, gradient): (_, Vec<f64>)| {
        let parameter = Tensor::ones([gradient.len() as i64], (Kind::Double, Device::Cpu)).set_requires_grad(true);
        if !gradient.is_empty() {
            (&parameter * Tensor::from_slice(&gradient)).sum(Kind::Double).backward();
        }
        (name.to_owned(), parameter)
    });
    let optimizer = Optimizer::new(Sgd::new(0.1), parameters.into()).unwrap();
    let norms = |norm_type| -> Vec<(String, f64)> {
        let norms = optimizer.grad_norms(norm_type).unwrap().into_iter();
        norms.map(|(name, norm)| (name, norm.double_value(&[]))).collect()
    };
    let named = |norm: &str, values: [f64; 3]| {
        let names = [
            format!("grad_{norm}_norm/layer.weight"),
            format!("grad_{norm}_norm/layer.bias"),
            format!("grad_{norm}_norm_total"),
        ];
        names.into_iter().zip(values).collect::<Vec<_>>()
    };
    assert_eq!(norms(2.0), named("2.0", [5.0, 12.0, 13.0]));
    assert_eq!(norms(f64::INFINITY), named("inf", [4.0, 12.0, 12.0]));
}
