//! Trajectories of parameters of many shapes, in several groups, against those of PyTorch in `shapes.json`, which `shapes.py` computes.

use std::collections::HashMap;
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{
    Adafactor, AdamW, AdjustLr, Algorithm, IntoParameterGroups, Lbfgs, Lion, Muon, Optimizer, ParameterGroups, Selector,
};

use crate::table::flat;

#[derive(Deserialize)]
struct Shapes {
    shapes: serde_json::Map<String, serde_json::Value>,
    steps: usize,
    shown: Vec<usize>,
    factors: HashMap<String, f64>,
    cases: HashMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    double: bool,
    points: Vec<Vec<f64>>,
}

static SHAPES: LazyLock<Shapes> =
    LazyLock::new(|| serde_json::from_str(include_str!("shapes.json")).expect("shapes.json has the table's form"));

/// The order in `shapes.py`, which JSON's objects do not keep.
const NAMES: [&str; 10] = [
    "pos_embed",
    "patch_embed.weight",
    "patch_embed.bias",
    "blocks.0.attn.weight",
    "blocks.0.norm.weight",
    "blocks.1.attn.weight",
    "blocks.1.norm.weight",
    "temperature",
    "head.weight",
    "head.bias",
];

fn initial(name: &str, seed: f64, kind: Kind) -> Tensor {
    let shape: Vec<i64> = serde_json::from_value(SHAPES.shapes[name].clone()).unwrap();
    let values: Vec<f64> =
        (0..shape.iter().product()).map(|index: i64| (1.7 * (index + 1) as f64 + seed).sin()).collect();
    Tensor::from_slice(&values).view(shape.as_slice()).to_kind(kind)
}

fn parameters(kind: Kind) -> Vec<(String, Tensor)> {
    let parameter = |(index, name): (usize, &&str)| {
        ((*name).to_owned(), initial(name, 0.3 * index as f64, kind).set_requires_grad(true))
    };
    NAMES.iter().enumerate().map(parameter).collect()
}

/// Parameters in training, as in `shapes.py`.
struct Problem {
    parameters: Vec<(String, Tensor)>,
    optimizer: Optimizer,
    kind: Kind,
}

impl Problem {
    fn new(groups: impl IntoParameterGroups, kind: Kind) -> Self {
        let parameters = parameters(kind);
        let shared = parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        Self { optimizer: Optimizer::new(groups, shared).unwrap(), parameters, kind }
    }

    fn step(&mut self) -> Vec<f64> {
        self.optimizer.zero_grad().unwrap();
        let losses = self.parameters.iter().enumerate().map(|(index, (name, parameter))| {
            let target = initial(name, 5.0 + index as f64, self.kind);
            let curvature = initial(name, 9.0 + index as f64, self.kind).abs();
            (curvature * (parameter - target).square()).sum(None)
        });
        losses.sum::<Tensor>().backward();
        self.optimizer.step().unwrap();
        flat(&self.parameters.iter().map(|(_, tensor)| tensor.detach()).collect::<Vec<_>>())
    }
}

/// Follows a case, with all learning rates halved at step 10 if `halves`; from then on with an optimizer that was saved and loaded.
fn follow(name: &str, groups: impl IntoParameterGroups + Clone, halves: bool) {
    let case = &SHAPES.cases[name];
    let kind = if case.double { Kind::Double } else { Kind::Float };
    let mut problem = Problem::new(groups.clone(), kind);
    for step in 0..SHAPES.steps {
        if step == 10 {
            problem = resumed(&problem, groups.clone());
            if halves {
                problem.optimizer.groups_mut().iter_mut().for_each(|group| group.set_lr(group.lr() / 2.0));
            }
        }
        let found = problem.step();
        let Some(index) = SHAPES.shown.iter().position(|shown| *shown == step) else { continue };
        let expected = &case.points[index];
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let allowed = if case.double { 1e-10 } else { 1e-5 } * expected.abs().max(0.1);
            assert!((found - expected).abs() <= allowed, "{name}, step {step}: {found}, but PyTorch has {expected}");
        }
    }
}

/// Returns a copy whose optimizer was restored by `state` and `load_state`.
fn resumed(problem: &Problem, groups: impl IntoParameterGroups) -> Problem {
    let mut resumed = Problem::new(groups, problem.kind);
    tch::no_grad(|| {
        for ((_, to), (_, from)) in resumed.parameters.iter_mut().zip(&problem.parameters) {
            to.copy_(from);
        }
    });
    let state = problem.optimizer.state().unwrap().into_iter().map(|(name, tensor)| (name, tensor.copy()));
    resumed.optimizer.load_state(state).unwrap();
    resumed
}

/// Follows the cases with the CPU instructions that the table was computed with, in a child process: libtorch chooses once.
#[test]
fn trajectories_of_groups_agree_with_pytorch() {
    const INSTRUCTIONS: &str = "ATEN_CPU_CAPABILITY";
    if std::env::var_os(INSTRUCTIONS).is_none_or(|chosen| chosen != "avx2") {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let test = "shapes::trajectories_of_groups_agree_with_pytorch";
        let output = child.args(["--exact", test]).env(INSTRUCTIONS, "avx2").output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
        return;
    }
    follow("no decay", AdamW::new(0.02).weight_decay(0.1).no_decay(), false);
    follow("layer decay", AdamW::new(0.05).weight_decay(0.1).layer_decay(0.65, LAYERS).no_decay(), true);
    follow("adafactor", Adafactor::new(0.05), false);
    follow("adafactor double", Adafactor::new(0.05), false);
    let options = Adafactor::new(0.3).beta2_decay(-0.5).eps((Some(1e-4), 0.2)).d(1.5).weight_decay(0.1);
    follow("adafactor options", options, false);
    follow("lion", Lion::new(0.01).betas((0.8, 0.95)).weight_decay(0.3), false);
    let routed = |muon| ParameterGroups::new(AdamW::new(0.02)).route(inner(), muon);
    follow("muon and adamw", routed(Muon::new(0.05)), true);
    let muon = Muon::new(0.05).weight_decay(0.3).momentum(0.7).nesterov(false).ns_coefficients((2.0, -1.5, 0.5));
    let muon = muon.ns_steps(3).adjust_lr_fn(Some(AdjustLr::MatchRmsAdamw));
    follow("muon options and adamw", routed(muon), false);
    let by_patterns = Muon::new(0.05).over("blocks.*.attn.weight").route("**", AdamW::new(0.02));
    follow("muon and adamw", by_patterns, true);
}

/// The matrices of the blocks.
fn inner() -> Selector {
    Selector::new("inner matrices", |name, tensor| name.starts_with("blocks.") && tensor.dim() == 2)
}

#[test]
fn routed_groups_are_one_optimizer() {
    let adamw = AdamW::new(0.02);
    let groups = ParameterGroups::new(adamw).route(inner(), Muon::new(0.05)).layer_decay(0.5, LAYERS).no_decay();
    let mut optimizer = Optimizer::new(groups, parameters(Kind::Float)).unwrap();
    let table = optimizer.to_string();
    assert!(table.contains("inner matrices, 2 layers below the last") && table.contains("Muon"), "{table}");
    let algorithms: Vec<&str> = optimizer.groups().iter().map(|group| group.algorithm().name()).collect();
    assert_eq!(algorithms, ["AdamW", "AdamW", "AdamW", "AdamW", "AdamW", "AdamW", "Muon", "Muon"]);
    assert_eq!(
        optimizer.groups_mut()[7].set_algorithm(adamw).unwrap_err().to_string(),
        "cannot mix AdamW and Muon in one optimizer; all groups must have the same algorithm, unless \
         `ParameterGroups::route` gives them another"
    );
    let refusal = |groups: ParameterGroups| Optimizer::new(groups, parameters(Kind::Float)).unwrap_err().to_string();
    assert_eq!(
        refusal(adamw.over("head.**").route("**", Lbfgs::new(1.0))),
        "LBFGS must have exactly one group, as it steps over all parameters together"
    );
    assert_eq!(
        refusal(Lbfgs::new(1.0).over("head.**").route("**", adamw)),
        "LBFGS must have exactly one group, as it steps over all parameters together"
    );
}

/// A step with an overflow changes no group, whether its algorithm skips on the device or not.
#[test]
fn skipped_step_changes_no_routed_group() {
    let groups = ParameterGroups::new(AdamW::new(0.02)).route(inner(), Muon::new(0.05));
    let mut problem = Problem::new(groups, Kind::Float);
    let before = problem.step();
    problem.optimizer.step_unless(&Tensor::from(1f32)).unwrap();
    let after: Vec<Tensor> = problem.parameters.iter().map(|(_, tensor)| tensor.detach()).collect();
    assert_eq!(flat(&after), before);
}

/// The layers of BEiT.
const LAYERS: [&str; 2] = ["{pos_embed,patch_embed.**}", "blocks.#.**"];

#[test]
fn learning_rates_of_layers_are_those_of_beit() {
    let optimizer = Optimizer::new(AdamW::new(0.5).layer_decay(0.65, LAYERS), parameters(Kind::Float)).unwrap();
    for group in optimizer.groups() {
        for (name, _) in group.parameters() {
            assert!((group.lr() - 0.5 * SHAPES.factors[name]).abs() < 1e-12, "{name}: {}", group.lr());
        }
    }
    assert_eq!(optimizer.groups().len(), 4);
}

#[test]
fn table_of_groups_says_which_parameters_have_what() {
    let groups = AdamW::new(1e-3).weight_decay(0.1).layer_decay(0.5, LAYERS).no_decay();
    let groups = groups.group_where("square", |_, tensor| tensor.dim() == 2 && tensor.size()[0] == tensor.size()[1], {
        AdamW::new(0.25)
    });
    let optimizer = Optimizer::new(groups, parameters(Kind::Float)).unwrap();
    let table = optimizer.to_string();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| {
            line.trim_matches(['|', '+', '-', '=']).split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
        })
        .collect();
    let rows: Vec<String> = rows.iter().filter(|cells| !cells.is_empty()).map(|cells| cells.join(" | ")).collect();
    assert_eq!(
        rows,
        [
            "Group | Selection | Algorithm | lr | weight_decay | Parameters | Elements",
            "1 | all others, 3 layers below the last, 2 dimensions or more | AdamW | 0.000125 | 0.1 | 2 | 14",
            "2 | all others, 3 layers below the last, below 2 dimensions | AdamW | 0.000125 | 0.0 | 1 | 2",
            "3 | all others, 2 layers below the last, 2 dimensions or more | AdamW | 0.00025 | 0.1 | 1 | 12",
            "4 | all others, 2 layers below the last, below 2 dimensions | AdamW | 0.00025 | 0.0 | 1 | 2",
            "5 | all others, 1 layer below the last, 2 dimensions or more | AdamW | 0.0005 | 0.1 | 1 | 12",
            "6 | all others, 1 layer below the last, below 2 dimensions | AdamW | 0.0005 | 0.0 | 1 | 2",
            "7 | all others, last layer, below 2 dimensions | AdamW | 0.001 | 0.0 | 2 | 5",
            "8 | square, last layer | AdamW | 0.25 | 0.01 | 1 | 16",
        ]
    );
}

#[test]
fn predicates_that_choose_nothing_are_rejected() {
    let groups = AdamW::new(0.1).over("head.**").group_where("empty", |_, tensor| tensor.numel() == 0, AdamW::new(0.2));
    assert_eq!(
        Optimizer::new(groups, parameters(Kind::Float)).unwrap_err().to_string(),
        "AdamW: `empty` chooses no parameter that earlier groups have left"
    );
}

/// The buffers of what has no state of its own shape: rows and columns of matrices, and vectors.
#[test]
fn state_of_adafactor_is_factored_for_matrices() {
    let mut problem = Problem::new(Adafactor::new(0.1), Kind::Float);
    problem.step();
    let shapes: HashMap<String, Vec<i64>> =
        problem.optimizer.state().unwrap().into_iter().map(|(name, tensor)| (name, tensor.size())).collect();
    assert_eq!(shapes.len(), 5 * 2 + 5 * 3);
    for (name, shape) in [
        ("pos_embed.row_var", &[1, 3, 1][..]),
        ("pos_embed.col_var", &[1, 1, 2]),
        ("patch_embed.weight.row_var", &[2, 1, 2, 1]),
        ("patch_embed.weight.col_var", &[2, 1, 1, 2]),
        ("head.bias.variance", &[4]),
        ("temperature.variance", &[]),
        ("temperature.step", &[]),
    ] {
        assert_eq!(shapes[name], shape, "{name}");
    }
}

#[test]
fn muon_and_adafactor_reject_parameters_that_they_cannot_update() {
    assert_eq!(
        Optimizer::new(Muon::new(0.1).over("patch_embed.**"), parameters(Kind::Float)).unwrap_err().to_string(),
        "Muon cannot optimize `patch_embed.weight`: its shape is [2, 1, 2, 2], and the algorithm is for two dimensions: give \
         the others to another algorithm, by `ParameterGroups::route`"
    );
    let complex =
        || vec![("w".to_owned(), Tensor::ones([2, 2], (Kind::ComplexFloat, Device::Cpu)).set_requires_grad(true))];
    for algorithm in [Algorithm::from(Muon::new(0.1)), Adafactor::new(0.1).into()] {
        assert_eq!(
            Optimizer::new(algorithm.clone(), complex()).unwrap_err().to_string(),
            format!(
                "{} cannot optimize `w`: it is complex, and the algorithm is for real numbers only",
                algorithm.name()
            )
        );
    }
}
