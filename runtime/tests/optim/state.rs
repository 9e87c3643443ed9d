use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{AdamW, Algorithm, Optimizer, OptimizerError, Sgd};

use crate::table::{Case, Memory, Problem, TABLE};

#[test]
fn steps_after_load_state_are_bit_for_bit_the_same() {
    for case in &TABLE.cases {
        // before the first step, before and after a late bias has its first gradient, and later
        for saved_after in [0, 1, 6, 7, 14] {
            let mut straight = Problem::new(case, Memory::Dense);
            for step in 0..saved_after {
                straight.step(step);
            }
            let mut resumed = straight.resumed();
            for step in saved_after..saved_after + 4 {
                let (straight, resumed) = (straight.step(step), resumed.step(step));
                assert_eq!(
                    straight.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                    resumed.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                    "{}, saved after {saved_after}, step {step}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn state_is_named_by_parameter_and_slot() {
    let shapes = |problem: &Problem| -> Vec<(String, Vec<i64>)> {
        let state = problem.optimizer.state().unwrap();
        state.into_iter().map(|(name, tensor)| (name, tensor.size())).collect()
    };
    let named = |name: &str, shape: &[i64]| (name.to_owned(), shape.to_vec());

    let mut problem = Problem::new(Case::named("adamw late bias"), Memory::Dense);
    for step in 0..3 {
        problem.step(step);
    }
    let expected = [
        named("weight.step", &[]),
        named("weight.exp_avg", &[3, 2]),
        named("weight.exp_avg_sq", &[3, 2]),
        named("bias.step", &[0]),
        named("bias.exp_avg", &[0]),
        named("bias.exp_avg_sq", &[0]),
    ];
    assert_eq!(shapes(&problem), expected);
    let (_, step) = &problem.optimizer.state().unwrap()[0];
    assert_eq!((step.kind(), step.double_value(&[])), (Kind::Float, 3.0));

    let mut problem = Problem::new(Case::named("sgd nesterov"), Memory::Dense);
    problem.step(0);
    let expected = [named("weight.momentum_buffer", &[3, 2]), named("bias.momentum_buffer", &[2])];
    assert_eq!(shapes(&problem), expected);

    let mut problem = Problem::new(Case::named("sgd"), Memory::Dense);
    problem.step(0);
    assert_eq!(shapes(&problem), []);

    for (case, slots) in [
        ("adam amsgrad", &["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"][..]),
        ("adamax", &["step", "exp_avg", "exp_inf"]),
        ("nadam", &["step", "mu_product", "exp_avg", "exp_avg_sq"]),
        ("radam", &["step", "exp_avg", "exp_avg_sq"]),
        ("rmsprop", &["step", "square_avg"]),
        ("rmsprop momentum", &["step", "square_avg", "momentum_buffer"]),
        ("rmsprop centered", &["step", "square_avg", "grad_avg"]),
        ("adagrad", &["step", "sum"]),
        ("adadelta", &["step", "square_avg", "acc_delta"]),
        ("lion", &["exp_avg"]),
    ] {
        let problem = Problem::new(Case::named(case), Memory::Dense);
        let names: Vec<String> = shapes(&problem).into_iter().map(|(name, _)| name).collect();
        let named = |parameter| slots.iter().map(move |slot| format!("{parameter}.{slot}"));
        assert_eq!(names, named("weight").chain(named("bias")).collect::<Vec<_>>());
    }
}

#[test]
fn load_state_copies_the_state() {
    let mut first = Problem::new(Case::named("adamw"), Memory::Dense);
    first.step(0);
    let mut second = first.resumed();
    second.step(1);
    let steps = |problem: &Problem| problem.optimizer.state().unwrap()[0].1.double_value(&[]);
    assert_eq!((steps(&first), steps(&second)), (1.0, 2.0));
}

#[test]
fn load_state_rejects_a_state_that_does_not_fit() {
    let mut problem = Problem::new(Case::named("adamw"), Memory::Dense);
    problem.step(0);
    let before = problem.optimizer.state().unwrap()[1].1.copy();
    let mut state = problem.optimizer.state().unwrap();
    state.retain(|(name, _)| name != "weight.exp_avg_sq");
    state[1].1 = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
    state.push(("fc.step".to_owned(), Tensor::from(1f32)));

    let error = problem.optimizer.load_state(state).unwrap_err();

    assert_eq!(
        error.to_string(),
        "the saved state does not fit AdamW: missing: weight.exp_avg_sq; of another shape: weight.exp_avg ([2, 3] instead \
         of [3, 2]); unexpected: fc.step"
    );
    assert_eq!(problem.optimizer.state().unwrap()[1].1, before);
}

#[test]
fn mismatch_shortens_long_lists_only_in_the_message() {
    let parameters = (0..10)
        .map(|i| {
            let tensor = Tensor::zeros([1], (Kind::Float, Device::Cpu));
            (format!("p{i}"), tensor.set_requires_grad(true))
        })
        .collect();
    let mut optimizer = Optimizer::new(Sgd::new(0.1).momentum(0.9), parameters).unwrap();
    let error = optimizer.load_state([]).unwrap_err();
    assert!(error.to_string().ends_with("p7.momentum_buffer and 2 more"), "{error}");
    let OptimizerError::State { mismatch, .. } = error else {
        panic!("another error: {error}");
    };
    assert_eq!(mismatch.missing.len(), 10);
}

#[test]
fn algorithm_is_serialized_with_its_name_and_read_with_defaults() {
    let algorithm: Algorithm = AdamW::new(0.5).into();
    let json = serde_json::to_value(&algorithm).unwrap();
    assert_eq!(json["AdamW"]["lr"], 0.5);
    assert_eq!(json["AdamW"]["betas"], serde_json::json!([0.9, 0.999]));
    let read: Algorithm = serde_json::from_str(r#"{"AdamW": {"lr": 0.5}}"#).unwrap();
    assert_eq!(read, algorithm);
}
