use tch::{Device, Kind, Tensor};
use tch_lightning::module::Optimizers;
use tch_lightning::optim::{
    Adam, AdamW, Algorithm, IntoParameterGroups, Lbfgs, Optimizer, OptimizerError, ParameterGroups, Sgd,
};

type Named = Vec<(String, Tensor)>;

fn gan() -> Named {
    let names = ["generator.fc.weight", "generator.fc.bias", "discriminator.fc.weight", "discriminator.fc.bias"];
    let tensor = || Tensor::ones([2], (Kind::Double, Device::Cpu)).set_requires_grad(true);
    names.map(|name| (name.to_owned(), tensor())).into()
}

fn names(optimizer: &Optimizer) -> Vec<Vec<&str>> {
    let groups = optimizer.groups().iter();
    groups.map(|group| group.parameters().iter().map(|(name, _)| name.as_str()).collect()).collect()
}

fn refusal(groups: impl IntoParameterGroups) -> String {
    Optimizer::new(groups, gan()).expect_err("there was no error").to_string()
}

#[test]
fn parameters_belong_to_the_first_pattern_that_matches() {
    let sgd = Sgd::new(0.1);
    let groups = ParameterGroups::new(sgd)
        .group("discriminator.*.bias", sgd.momentum(0.5))
        .group("**.bias", sgd.momentum(0.9))
        .group("{generator,nothing}.**", sgd.nesterov(true).momentum(0.1));

    let optimizer = Optimizer::new(groups, gan()).unwrap();

    let expected = [
        vec!["discriminator.fc.weight"],
        vec!["discriminator.fc.bias"],
        vec!["generator.fc.bias"],
        vec!["generator.fc.weight"],
    ];
    assert_eq!(names(&optimizer), expected);
    let momenta: Vec<_> = optimizer.groups().iter().map(|group| group.momentum()).collect();
    assert_eq!(momenta, [Some(0.0), Some(0.5), Some(0.9), Some(0.1)]);
}

#[test]
fn over_does_not_change_other_parameters() {
    let parameters = gan();
    let shared = parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    let mut optimizer = Optimizer::new(Sgd::new(0.1).over("generator.**"), shared).unwrap();
    assert_eq!(names(&optimizer), [["generator.fc.weight", "generator.fc.bias"]]);

    parameters.iter().map(|(_, tensor)| tensor.sum(Kind::Double)).sum::<Tensor>().backward();
    optimizer.step().unwrap();
    let values: Vec<f64> = parameters.iter().map(|(_, tensor)| tensor.double_value(&[0])).collect();
    assert_eq!(values, [0.9, 0.9, 1.0, 1.0]);

    optimizer.zero_grad().unwrap();
    let has_gradient: Vec<bool> = parameters.iter().map(|(_, tensor)| tensor.grad().defined()).collect();
    assert_eq!(has_gradient, [false, false, true, true]);
}

#[test]
fn group_of_unmatched_parameters_may_be_empty() {
    let sgd = Sgd::new(0.3);
    let optimizer = Optimizer::new(ParameterGroups::new(sgd).group("**", Sgd::new(0.1)), gan()).unwrap();
    assert_eq!(optimizer.groups().len(), 2);
    assert!(optimizer.groups()[0].parameters().is_empty());
    assert_eq!(optimizer.lr(), 0.3);
}

#[test]
fn learning_rates_and_momenta_are_set_by_group_or_for_all() {
    let adam = Adam::new(0.1);
    let mut optimizer = Optimizer::new(ParameterGroups::new(adam).group("**.bias", Adam::new(0.2)), gan()).unwrap();
    let rates = |optimizer: &Optimizer| optimizer.groups().iter().map(|group| group.lr()).collect::<Vec<_>>();

    assert_eq!((optimizer.lr(), rates(&optimizer)), (0.1, vec![0.1, 0.2]));
    optimizer.groups_mut()[1].set_lr(0.4);
    assert_eq!(rates(&optimizer), [0.1, 0.4]);
    optimizer.set_lr(0.5);
    assert_eq!(rates(&optimizer), [0.5, 0.5]);

    let group = &mut optimizer.groups_mut()[1];
    assert_eq!(group.momentum(), Some(0.9));
    group.set_momentum(0.7).unwrap();
    assert_eq!(*group.algorithm(), Algorithm::Adam(Adam::new(0.5).betas((0.7, 0.999))));
    group.set_algorithm(Adam::new(0.6)).unwrap();
    assert_eq!((group.lr(), group.momentum()), (0.6, Some(0.9)));
    assert_eq!(
        group.set_algorithm(AdamW::new(0.6)).unwrap_err().to_string(),
        "cannot mix AdamW and Adam in one optimizer; all groups must have the same algorithm, unless \
         `ParameterGroups::route` gives them another"
    );
    assert_eq!(
        group.set_algorithm(Adam::new(-0.6)).unwrap_err().to_string(),
        "Adam: lr must be a finite number of 0 or more, but it is -0.6"
    );
}

#[test]
fn add_parameter_group_starts_with_fresh_state() {
    let mut parameters = gan();
    let late = parameters.split_off(2);
    let late_tensor = late[0].1.shallow_clone();
    let early_tensor = parameters[0].1.shallow_clone();
    let mut optimizer = Optimizer::new(Adam::new(0.1), parameters).unwrap();
    let step = |optimizer: &mut Optimizer| {
        optimizer.zero_grad().unwrap();
        (&early_tensor + &late_tensor).sum(Kind::Double).backward();
        optimizer.step().unwrap();
    };
    step(&mut optimizer);
    optimizer.add_parameter_group(Adam::new(0.01), late).unwrap();
    step(&mut optimizer);

    let state = optimizer.state().unwrap();
    let steps = |parameter: &str| {
        let (_, count) = state.iter().find(|(name, _)| *name == format!("{parameter}.step")).unwrap();
        count.double_value(&[])
    };
    assert_eq!((steps("generator.fc.weight"), steps("discriminator.fc.weight")), (2.0, 1.0));
    // the length of Adam's steps is the learning rate while the gradient does not change
    assert!((early_tensor.double_value(&[0]) - 0.8).abs() < 1e-6);
    assert!((late_tensor.double_value(&[0]) - 0.99).abs() < 1e-6);
    assert_eq!(optimizer.parameters().count(), 4);
}

#[test]
fn add_parameter_group_rejects_invalid_groups() {
    let mut parameters = gan();
    let late = || vec![("late".to_owned(), Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true))];
    let again = vec![(parameters[0].0.clone(), late()[0].1.shallow_clone())];
    let same = vec![("late".to_owned(), parameters[0].1.shallow_clone())];
    parameters.truncate(2);
    let mut optimizer = Optimizer::new(Adam::new(0.1), parameters).unwrap();
    for (algorithm, parameters, sentence) in [
        (
            Algorithm::from(Sgd::new(0.1)),
            late(),
            "cannot mix SGD and Adam in one optimizer; all groups must have the same algorithm, unless \
         `ParameterGroups::route` gives them another",
        ),
        (Adam::new(-0.1).into(), late(), "Adam: lr must be a finite number of 0 or more, but it is -0.1"),
        (
            Adam::new(0.1).into(),
            again,
            "Adam cannot optimize `generator.fc.weight`: another parameter has the same name",
        ),
        (
            Adam::new(0.1).into(),
            same,
            "Adam cannot optimize `late`: it is the same tensor as `generator.fc.weight`; pass a shared parameter once",
        ),
    ] {
        assert_eq!(optimizer.add_parameter_group(algorithm, parameters).unwrap_err().to_string(), sentence);
        assert_eq!(optimizer.groups().len(), 1);
    }
}

#[test]
fn load_state_accepts_the_state_of_other_groups() {
    let (whole, parted) = (gan(), gan());
    let step = |optimizer: &mut Optimizer, parameters: &Named| {
        optimizer.zero_grad().unwrap();
        parameters.iter().map(|(_, tensor)| tensor.square().sum(Kind::Double)).sum::<Tensor>().backward();
        optimizer.step().unwrap();
    };
    let shared =
        |parameters: &Named| parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    let mut first = Optimizer::new(Adam::new(0.1), shared(&whole)).unwrap();
    step(&mut first, &whole);
    let groups = Adam::new(0.1).over("**.bias").group("**.weight", Adam::new(0.1));
    let mut second = Optimizer::new(groups, shared(&parted)).unwrap();
    second.load_state(first.state().unwrap()).unwrap();
    tch::no_grad(|| {
        for ((_, from), (_, to)) in whole.iter().zip(&parted) {
            to.shallow_clone().copy_(from);
        }
    });
    step(&mut first, &whole);
    step(&mut second, &parted);
    for ((_, first), (_, second)) in whole.iter().zip(&parted) {
        assert_eq!(first, second);
    }
}

#[test]
fn grad_norm_and_clipping_include_all_groups() {
    let parameters = gan();
    let tensors: Vec<Tensor> = parameters.iter().map(|(_, tensor)| tensor.shallow_clone()).collect();
    let groups = ParameterGroups::new(Sgd::new(0.1)).group("**.bias", Sgd::new(0.2));
    let mut optimizer = Optimizer::new(groups, parameters).unwrap();
    tensors.iter().map(|tensor| (tensor * 2.0).sum(Kind::Double)).sum::<Tensor>().backward();

    // eight elements of 2
    let norm = 32.0_f64.sqrt();
    assert!((optimizer.grad_norm().unwrap().double_value(&[]) - norm).abs() < 1e-12);
    assert!((optimizer.clip_grad_norm(1.0).unwrap().double_value(&[]) - norm).abs() < 1e-12);
    for tensor in &tensors {
        assert!((tensor.grad().double_value(&[0]) - 2.0 / (norm + 1e-6)).abs() < 1e-12);
    }
    optimizer.clip_grad_value(0.25).unwrap();
    assert!(tensors.iter().all(|tensor| tensor.grad().double_value(&[1]) == 0.25));
    optimizer.zero_grad().unwrap();
    assert!(tensors.iter().all(|tensor| !tensor.grad().defined()));
}

#[test]
fn patterns_without_a_group_are_rejected() {
    let sgd = Sgd::new(0.1);
    assert_eq!(
        refusal(sgd.over("genrator.**")),
        "SGD: no parameter name matches `genrator.**`; the parameters are generator.fc.weight, generator.fc.bias, \
         discriminator.fc.weight, discriminator.fc.bias"
    );
    assert_eq!(
        refusal(sgd.over("**.bias").group("generator.fc.bias", sgd)),
        "SGD: every parameter that `generator.fc.bias` matches belongs to an earlier group; put narrower patterns before \
         wider ones"
    );
    assert_eq!(
        refusal(sgd.over("generator.[fc.**")),
        "SGD: `generator.[fc.**` is not a valid pattern of parameter names: `[` without `]`"
    );
    let error = Optimizer::new(sgd.over("x"), gan()).unwrap_err();
    let OptimizerError::UnmatchedPattern { parameters, .. } = error else {
        panic!("another error: {error}");
    };
    assert_eq!(parameters.len(), 4);
}

#[test]
fn groups_of_different_algorithms_are_rejected() {
    let mixed = ParameterGroups::new(Algorithm::from(Adam::new(0.1))).group("**.bias", AdamW::new(0.1).into());
    assert_eq!(
        refusal(mixed),
        "cannot mix AdamW and Adam in one optimizer; all groups must have the same algorithm, unless \
         `ParameterGroups::route` gives them another"
    );
    let lbfgs = Lbfgs::new(1.0);
    assert_eq!(
        refusal(ParameterGroups::new(lbfgs).group("**.bias", lbfgs)),
        "LBFGS must have exactly one group, as it steps over all parameters together"
    );
    assert_eq!(
        refusal(ParameterGroups::new(Adam::new(0.1)).group("**.bias", Adam::new(-0.1))),
        "Adam: lr must be a finite number of 0 or more, but it is -0.1"
    );
    assert!(Optimizer::new(lbfgs.over("generator.**"), gan()).is_ok());
}

#[test]
fn optimizers_convert_from_algorithms_and_groups() {
    let adam = Adam::new(0.1);
    let groups = || ParameterGroups::new(adam).group("**.bias", adam);
    let of = |optimizers: Optimizers| {
        let names =
            optimizers.iter().map(|optimizer| optimizer.groups.algorithms().map(Algorithm::name).collect::<Vec<_>>());
        names.collect::<Vec<_>>()
    };
    assert_eq!(of(groups().into()), [["Adam", "Adam"]]);
    assert_eq!(of((groups(), Sgd::new(0.1)).into()), [vec!["Adam", "Adam"], vec!["SGD"]]);
    assert_eq!(of((adam, groups(), Sgd::new(0.1).over("x")).into()), [vec!["Adam"], vec!["Adam", "Adam"], vec!["SGD"]]);
    assert_eq!(of(vec![adam.over("a"), adam.over("b")].into()), [["Adam"], ["Adam"]]);
    assert_eq!(of([Algorithm::from(adam), Sgd::new(0.1).into()].into_iter().collect()), [["Adam"], ["SGD"]]);
    assert_eq!(of(Algorithm::from(adam).over("a").into()), [["Adam"]]);
}
