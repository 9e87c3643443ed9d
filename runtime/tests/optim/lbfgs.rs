use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{Algorithm, Lbfgs, LineSearch, Optimizer, OptimizerError, Progress};

use crate::table::{Case, Memory, Problem};

fn bowl(lbfgs: Lbfgs) -> (Tensor, Optimizer) {
    let point = Tensor::from_slice(&[3.0f64, -2.0]).set_requires_grad(true);
    let optimizer = Optimizer::new(lbfgs, vec![("point".to_owned(), point.shallow_clone())]).unwrap();
    (point, optimizer)
}

fn evaluate(point: &Tensor, optimizer: &mut Optimizer) -> Tensor {
    optimizer.zero_grad().unwrap();
    let loss = (point * Tensor::from_slice(&[1.0f64, 3.0])).square().sum(Kind::Double);
    loss.backward();
    loss
}

#[test]
fn step_on_rejects_a_missing_loss_and_a_loss_with_a_shape() {
    let (point, mut optimizer) = bowl(Lbfgs::default());
    let loss = evaluate(&point, &mut optimizer);
    let sentence = "LBFGS evaluates the loss several times per step; call `step_on` with the loss until it returns \
                    `Progress::Done`, and do not scale gradients";
    assert_eq!(optimizer.step().unwrap_err().to_string(), sentence);
    assert_eq!(optimizer.step_on(None).unwrap_err().to_string(), sentence);
    assert_eq!(optimizer.step_unless(&Tensor::from(0f32)).unwrap_err().to_string(), sentence);
    assert_eq!(
        optimizer.step_on(Some(&point)).unwrap_err().to_string(),
        "the loss of LBFGS must be a single number, but its shape is [2]; take its mean or sum"
    );
    assert_eq!((optimizer.steps(), point.double_value(&[0])), (0, 3.0));
    assert_eq!(optimizer.step_on(Some(&loss)).unwrap(), Progress::Again);
}

#[test]
fn state_within_a_step_is_an_error() {
    let (point, mut optimizer) = bowl(Lbfgs::new(1.0).line_search(Some(LineSearch::StrongWolfe)));
    let before = optimizer.state().unwrap();
    let loss = evaluate(&point, &mut optimizer);
    assert_eq!(optimizer.step_on(Some(&loss)).unwrap(), Progress::Again);
    let error = optimizer.state().unwrap_err();
    assert!(matches!(error, OptimizerError::WithinStep { optimizer: "LBFGS" }), "{error}");

    optimizer.load_state(before).unwrap();
    assert!(optimizer.state().is_ok(), "a loaded state is between steps");
}

#[test]
fn step_ends_where_the_gradient_is_small() {
    let (point, mut optimizer) = bowl(Lbfgs::new(1.0).tolerance_grad(100.0));
    let loss = evaluate(&point, &mut optimizer);
    assert_eq!(optimizer.step_on(Some(&loss)).unwrap(), Progress::Done);
    assert_eq!((optimizer.steps(), point.double_value(&[0])), (1, 3.0));
}

#[test]
fn state_is_that_of_the_first_parameter() {
    let mut problem = Problem::new(Case::named("lbfgs double history"), Memory::Dense);
    let shapes = |problem: &Problem| -> Vec<(String, Vec<i64>)> {
        let state = problem.optimizer.state().unwrap();
        state.into_iter().map(|(name, tensor)| (name, tensor.size())).collect()
    };
    let named = |shapes: [&[i64]; 10]| -> Vec<(String, Vec<i64>)> {
        let slots =
            ["func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss"];
        slots.iter().map(|slot| format!("weight.{slot}")).zip(shapes.map(<[i64]>::to_vec)).collect()
    };
    assert_eq!(shapes(&problem), named([&[], &[], &[0], &[0], &[0], &[0], &[0], &[0], &[0], &[0]]));

    for step in 0..4 {
        problem.step(step);
    }
    // the last two pairs are kept; the weight has six elements, the bias two
    assert_eq!(shapes(&problem), named([&[], &[], &[8], &[], &[2, 8], &[2, 8], &[2], &[], &[8], &[]]));
    // as in PyTorch: each step ends with its second evaluation, 1.25 times `max_iter`, after one iteration
    let state = problem.optimizer.state().unwrap();
    let counts = [&state[0].1, &state[1].1].map(|count| (count.kind(), count.int64_value(&[])));
    assert_eq!(counts, [(Kind::Int64, 8), (Kind::Int64, 4)]);
}

#[test]
fn load_state_rejects_a_state_of_other_parameters() {
    let mut problem = Problem::new(Case::named("lbfgs double history"), Memory::Dense);
    for step in 0..3 {
        problem.step(step);
    }
    let mut state = problem.optimizer.state().unwrap();
    state.retain(|(name, _)| name != "weight.t");
    state[2].1 = Tensor::zeros([5], (Kind::Double, Device::Cpu));
    state.push(("bias.step".to_owned(), Tensor::from(1f32)));
    assert_eq!(
        problem.optimizer.load_state(state).unwrap_err().to_string(),
        "the saved state does not fit LBFGS: missing: weight.t; of another shape: weight.d ([5] instead of [8]); \
         unexpected: bias.step"
    );
}

#[test]
fn lbfgs_options_are_serialized() {
    let algorithm: Algorithm = Lbfgs::new(0.5).max_eval(Some(7)).line_search(Some(LineSearch::StrongWolfe)).into();
    let json = serde_json::to_value(&algorithm).unwrap();
    assert_eq!(json["Lbfgs"]["line_search"], "strong_wolfe");
    assert_eq!(json["Lbfgs"]["max_eval"], 7);
    assert_eq!(serde_json::from_value::<Algorithm>(json).unwrap(), algorithm);
    let defaults: Algorithm = serde_json::from_str(r#"{"Lbfgs": {}}"#).unwrap();
    assert_eq!(defaults, Lbfgs::default().into());
}

/// A small network, whose loss is far from quadratic.
struct Network {
    inputs: Tensor,
    targets: Tensor,
    parameters: Vec<(String, Tensor)>,
    optimizer: Optimizer,
}

impl Network {
    fn new(lbfgs: Lbfgs, kind: Kind, values: Option<&[Tensor]>) -> Self {
        let wave = |shape: [i64; 2], by: f64| {
            let places = Tensor::arange(shape[0] * shape[1], (Kind::Double, Device::Cpu));
            (places * by).sin().view(shape).to_kind(kind)
        };
        let inputs = wave([23, 3], 0.7);
        let targets = (wave([23, 1], 1.3) * 2.0).sin();
        // the number of elements leaves the rows of a matrix of them unaligned
        let initial = [wave([3, 97], 0.31), wave([1, 97], 0.17), wave([97, 1], 0.53), wave([1, 1], 0.11)];
        let values = values.unwrap_or(&initial);
        let parameter =
            |(position, value): (usize, &Tensor)| (format!("p{position}"), value.copy().set_requires_grad(true));
        let parameters: Vec<_> = values.iter().enumerate().map(parameter).collect();
        let handles = parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let optimizer = Optimizer::new(lbfgs, handles).unwrap();
        Self { inputs, targets, parameters, optimizer }
    }

    fn step(&mut self) {
        loop {
            self.optimizer.zero_grad().unwrap();
            let p = |place: usize| &self.parameters[place].1;
            let hidden = (self.inputs.matmul(p(0)) + p(1)).tanh();
            let loss = (hidden.matmul(p(2)) + p(3)).mse_loss(&self.targets, tch::Reduction::Mean);
            loss.backward();
            if self.optimizer.step_on(Some(&loss)).unwrap() == Progress::Done {
                return;
            }
        }
    }

    fn values(&self) -> Vec<Tensor> {
        self.parameters.iter().map(|(_, tensor)| tensor.detach().copy()).collect()
    }

    fn bits(&self) -> Vec<u64> {
        crate::table::flat(&self.values()).into_iter().map(f64::to_bits).collect()
    }
}

#[test]
fn steps_after_load_state_are_bit_for_bit_the_same() {
    const STEPS: usize = 40;
    /// The number of steps to compare after each load.
    const COMPARED: usize = 3;
    let lbfgs = Lbfgs::new(0.5);
    for (lbfgs, kind) in [lbfgs.max_iter(1), lbfgs.max_iter(4).history_size(3)]
        .into_iter()
        .flat_map(|lbfgs| [None, Some(LineSearch::StrongWolfe)].map(|search| lbfgs.line_search(search)))
        .flat_map(|lbfgs| [Kind::Float, Kind::Double].map(|kind| (lbfgs, kind)))
    {
        let mut whole = Network::new(lbfgs, kind, None);
        let (mut places, mut bits) = (Vec::new(), Vec::new());
        for _ in 0..STEPS + COMPARED {
            let state = whole.optimizer.state().unwrap();
            let copied: Vec<_> = state.into_iter().map(|(name, tensor)| (name, tensor.copy())).collect();
            places.push((whole.values(), copied));
            whole.step();
            bits.push(whole.bits());
        }
        let goes_on = |place: usize, values: &[Tensor], state| {
            let mut resumed = Network::new(lbfgs, kind, Some(values));
            resumed.optimizer.load_state(state).unwrap();
            bits[place..place + COMPARED].iter().all(|expected| {
                resumed.step();
                resumed.bits() == *expected
            })
        };
        let places = places.into_iter().take(STEPS).enumerate();
        let differ: Vec<usize> =
            places.filter_map(|(place, (values, state))| (!goes_on(place, &values, state)).then_some(place)).collect();
        assert!(differ.is_empty(), "{lbfgs:?} {kind:?}: after {differ:?}");
    }
}
