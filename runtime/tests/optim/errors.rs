use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Algorithm, Lbfgs, Lion, Muon, NAdam, Optimizer, RAdam, RmsProp,
    Sgd,
};

/// An optimizer is `Send`, so that training can run on another thread.
const _: fn() = || {
    fn may_be_sent<T: Send>() {}
    may_be_sent::<Optimizer>();
};

fn parameter() -> Tensor {
    Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true)
}

fn named(name: &str, tensor: &Tensor) -> (String, Tensor) {
    (name.to_owned(), tensor.shallow_clone())
}

fn refusal(algorithm: impl Into<Algorithm>, parameters: Vec<(String, Tensor)>) -> String {
    Optimizer::new(algorithm, parameters).expect_err("there was no error").to_string()
}

#[test]
fn hyperparameters_out_of_range_are_rejected() {
    let refusal = |algorithm: Algorithm| refusal(algorithm, vec![named("w", &parameter())]);
    for (algorithm, sentence) in [
        (AdamW::new(-1.0).into(), "AdamW: lr must be a finite number of 0 or more, but it is -1"),
        (Adam::new(f64::INFINITY).into(), "Adam: lr must be a finite number of 0 or more, but it is inf"),
        (Sgd::new(0.1).dampening(f64::NAN).into(), "SGD: dampening must be a finite number, but it is NaN"),
        (RmsProp::new(0.1).alpha(2.0).into(), "RMSprop: alpha must be at least 0 and at most 1, but it is 2"),
        (Adam::new(f64::NAN).into(), "Adam: lr must be a finite number of 0 or more, but it is NaN"),
        (Adam::default().betas((0.9, 1.0)).into(), "Adam: betas.1 must be at least 0 and below 1, but it is 1"),
        (AdamW::default().betas((-0.1, 0.9)).into(), "AdamW: betas.0 must be at least 0 and below 1, but it is -0.1"),
        (Adam::default().eps(-1e-8).into(), "Adam: eps must be a finite number of 0 or more, but it is -0.00000001"),
        (Sgd::new(0.1).momentum(-0.9).into(), "SGD: momentum must be a finite number of 0 or more, but it is -0.9"),
        (
            Sgd::new(0.1).weight_decay(-0.5).into(),
            "SGD: weight_decay must be a finite number of 0 or more, but it is -0.5",
        ),
        (
            Sgd::new(0.1).nesterov(true).into(),
            "SGD: nesterov requires a momentum above 0 and a dampening of 0, but momentum is 0 and dampening is 0",
        ),
        (Adamax::new(0.1).betas((0.9, -0.5)).into(), "Adamax: betas.1 must be at least 0 and below 1, but it is -0.5"),
        (
            NAdam::new(0.1).momentum_decay(-1.0).into(),
            "NAdam: momentum_decay must be a finite number of 0 or more, but it is -1",
        ),
        (
            RAdam::new(0.1).weight_decay(-1.0).into(),
            "RAdam: weight_decay must be a finite number of 0 or more, but it is -1",
        ),
        (RmsProp::new(0.1).alpha(-0.1).into(), "RMSprop: alpha must be at least 0 and at most 1, but it is -0.1"),
        (
            Adagrad::new(0.1).lr_decay(-0.1).into(),
            "Adagrad: lr_decay must be a finite number of 0 or more, but it is -0.1",
        ),
        (Adadelta::new(0.1).rho(1.5).into(), "Adadelta: rho must be at least 0 and at most 1, but it is 1.5"),
        (Lbfgs::new(1.0).history_size(0).into(), "LBFGS: history_size must be 1 or more, but it is 0"),
        (
            Adafactor::new(0.1).beta2_decay(0.5).into(),
            "Adafactor: beta2_decay must be a finite number of 0 or less, but it is 0.5",
        ),
        (Adafactor::new(0.1).d(0.5).into(), "Adafactor: d must be a finite number of 1 or more, but it is 0.5"),
        (
            Adafactor::new(0.1).eps((Some(-1.0), 0.1)).into(),
            "Adafactor: eps.0 must be a finite number of 0 or more, but it is -1",
        ),
        (Muon::new(0.1).ns_steps(100).into(), "Muon: ns_steps must be below 100, but it is 100"),
        (
            Muon::new(0.1).ns_coefficients((1.0, f64::NAN, 1.0)).into(),
            "Muon: ns_coefficients.1 must be a finite number, but it is NaN",
        ),
        (Lion::new(0.1).betas((1.0, 0.9)).into(), "Lion: betas.0 must be at least 0 and below 1, but it is 1"),
    ] as [(Algorithm, &str); 24]
    {
        assert_eq!(refusal(algorithm), sentence);
    }
}

#[test]
fn parameters_that_cannot_be_optimized_are_rejected() {
    let weight = parameter();
    assert_eq!(
        refusal(AdamW::default(), vec![]),
        "AdamW must have at least one parameter, but it has none: create layers on paths of the `VarStore` of `parameters`, and do not freeze all of them"
    );
    assert_eq!(
        refusal(AdamW::default(), vec![named("w", &weight.detach())]),
        "AdamW cannot optimize `w`: it does not require a gradient; remove it, or call `set_requires_grad(true)`"
    );
    assert_eq!(
        refusal(AdamW::default(), vec![named("w", &(&weight * 2))]),
        "AdamW cannot optimize `w`: it is computed from other tensors; optimize those"
    );
    assert_eq!(
        refusal(AdamW::default(), vec![named("w", &weight), named("w", &parameter())]),
        "AdamW cannot optimize `w`: another parameter has the same name"
    );
    assert_eq!(
        refusal(AdamW::default(), vec![named("encoder.w", &weight), named("decoder.w", &weight)]),
        "AdamW cannot optimize `decoder.w`: it is the same tensor as `encoder.w`; pass a shared parameter once"
    );
}

#[test]
fn sparse_gradients_are_rejected() {
    let table = Tensor::ones([4, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let mut optimizer = Optimizer::new(Sgd::new(0.1), vec![named("words", &table)]).unwrap();
    let rows = Tensor::from_slice(&[1i64, 3]);
    Tensor::embedding(&table, &rows, -1, false, true).sum(Kind::Float).backward();
    assert_eq!(
        optimizer.step().unwrap_err().to_string(),
        "SGD cannot step: the gradient of `words` is sparse, and only dense gradients are supported: make the embedding \
         with `sparse: false`"
    );
    assert_eq!(optimizer.steps(), 0);
}

#[test]
fn parameter_converted_after_its_first_step_is_rejected() {
    let mut weight = parameter();
    let mut optimizer = Optimizer::new(AdamW::default(), vec![named("w", &weight)]).unwrap();
    weight.sum(Kind::Float).backward();
    optimizer.step().unwrap();
    optimizer.zero_grad().unwrap();
    weight.set_data(&Tensor::ones([2], (Kind::Double, Device::Cpu)));
    weight.sum(Kind::Double).backward();
    assert_eq!(
        optimizer.step().unwrap_err().to_string(),
        "AdamW cannot step: `w` is now CPUDoubleType[2] on cpu, unlike its optimizer state: make the optimizer after \
         parameters are moved or converted"
    );
}

#[test]
fn set_momentum_of_an_algorithm_without_one_is_an_error() {
    let mut algorithm = Algorithm::from(Adagrad::new(0.1));
    assert_eq!(algorithm.momentum(), None);
    assert_eq!(algorithm.set_momentum(0.9).unwrap_err().to_string(), "Adagrad has no momentum");
}

#[test]
fn clipping_rejects_negative_limits() {
    let mut optimizer = Optimizer::new(Sgd::new(0.1), vec![named("w", &parameter())]).unwrap();
    assert_eq!(
        optimizer.clip_grad_norm(-1.0).unwrap_err().to_string(),
        "SGD: max_norm must be a number of 0 or more, but it is -1"
    );
    assert_eq!(
        optimizer.clip_grad_value(f64::NAN).unwrap_err().to_string(),
        "SGD: clip_value must be a number of 0 or more, but it is NaN"
    );
}
