//! The reference values in `table.json`, computed by PyTorch in `table.py`, and optimizers that consist only of rates.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use tch_lightning::schedule::{
    ChainedScheduler, CyclicLr, LambdaLr, LrLambda, LrScheduler, MultiplicativeLr, ParameterGroupRates, Schedule,
    ScheduleError, SequentialLr,
};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    schedule: Value,
    lrs: Vec<f64>,
    #[serde(default)]
    by_hand: Vec<(usize, usize, f64)>,
    added: Option<(usize, f64)>,
    #[serde(default)]
    metrics: Vec<f64>,
    rates: Vec<Vec<Run>>,
    momenta: Option<Vec<Vec<Run>>>,
}

/// A value, or one that repeats.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Run {
    One(f64),
    Many(f64, usize),
}

pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(include_str!("table.json")).expect("table.json has the table's form");
    table.cases
});

impl Case {
    pub fn schedule(&self) -> Schedule {
        schedule(&self.schedule)
    }

    pub fn steps(&self) -> usize {
        unrolled(&self.rates[0]).len() - 1
    }

    /// Returns the rates of each group, initially and after each step, or after each step since it was added.
    pub fn rates(&self) -> Vec<Vec<f64>> {
        self.rates.iter().map(|runs| unrolled(runs)).collect()
    }

    /// Returns the momenta of each group, if they are cycled.
    pub fn momenta(&self) -> Option<Vec<Vec<f64>>> {
        Some(self.momenta.as_ref()?.iter().map(|runs| unrolled(runs)).collect())
    }

    /// Returns the optimizer at the start of the case.
    pub fn groups(&self) -> Groups {
        Groups { lrs: self.lrs.clone(), momenta: Some(vec![UNTOUCHED_MOMENTUM; self.lrs.len()]) }
    }

    /// Takes the step of this index.
    pub fn step(&self, step: usize, scheduler: &mut LrScheduler, groups: &mut Groups) -> Result<(), ScheduleError> {
        if let Some((_, lr)) = self.added.filter(|(at, _)| *at == step) {
            groups.add(lr);
        }
        for (_, group, factor) in self.by_hand.iter().filter(|(at, ..)| *at == step) {
            groups.lrs[*group] *= factor;
        }
        match self.metrics.get(step) {
            Some(metric) => scheduler.step_with_metric(groups, *metric),
            None => scheduler.step(groups),
        }
    }
}

fn unrolled(runs: &[Run]) -> Vec<f64> {
    let repeated = |run: &Run| match *run {
        Run::One(value) => vec![value],
        Run::Many(value, count) => vec![value; count],
    };
    runs.iter().flat_map(repeated).collect()
}

/// Returns the schedule that `table.py` has written, which names functions.
fn schedule(written: &Value) -> Schedule {
    let (name, options) = written.as_object().and_then(|one| one.iter().next()).expect("a schedule has a name");
    let parts =
        || options["schedulers"].as_array().expect("it has schedulers").iter().map(schedule).collect::<Vec<_>>();
    match name.as_str() {
        "SequentialLr" => {
            let milestones: Vec<u64> = serde_json::from_value(options["milestones"].clone()).unwrap();
            SequentialLr::new(parts(), milestones).into()
        }
        "ChainedScheduler" => ChainedScheduler::new(parts()).into(),
        "LambdaLr" => match lr_lambdas(&options["lr_lambda"]) {
            Ok(all) => LambdaLr::new(all).into(),
            Err(each) => LambdaLr::per_group(each).into(),
        },
        "MultiplicativeLr" => match lr_lambdas(&options["lr_lambda"]) {
            Ok(all) => MultiplicativeLr::new(all).into(),
            Err(each) => MultiplicativeLr::per_group(each).into(),
        },
        "CyclicLr" if options.get("scale_fn").is_some() => {
            let mut options = options.clone();
            options.as_object_mut().unwrap().remove("scale_fn");
            let cyclic: CyclicLr = serde_json::from_value(options).unwrap();
            cyclic.scale_fn(|x| 1.0 / (1.0 + x / 4.0)).into()
        }
        name => {
            let mut tagged = options.clone();
            tagged["name"] = name.replace("Lr", "LR").replace("SwaLR", "SWALR").into();
            serde_json::from_value(tagged).unwrap()
        }
    }
}

fn lr_lambdas(names: &Value) -> Result<fn(u64) -> f64, Vec<LrLambda>> {
    match names {
        Value::String(name) => Ok(lr_lambda(name)),
        names => {
            let names: Vec<String> = serde_json::from_value(names.clone()).unwrap();
            Err(names.iter().map(|name| LrLambda::new(lr_lambda(name))).collect())
        }
    }
}

fn lr_lambda(name: &str) -> fn(u64) -> f64 {
    match name {
        "inverse_square_root" => |step| 1.0 / ((step + 1) as f64).sqrt(),
        "every_third" => |step| if step % 3 == 0 { 0.5 } else { 1.0 },
        "slowly" => |step| 1.0 - 0.5 / (step + 2) as f64,
        other => panic!("table.py has no function {other}"),
    }
}

pub const UNTOUCHED_MOMENTUM: f64 = 0.5;

/// An optimizer's parameter groups, without an optimizer.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    pub lrs: Vec<f64>,
    /// `None` for an algorithm without momentum.
    pub momenta: Option<Vec<f64>>,
}

impl Groups {
    pub fn without_momentum(lrs: impl Into<Vec<f64>>) -> Self {
        Self { lrs: lrs.into(), momenta: None }
    }

    /// Adds a group of this rate.
    pub fn add(&mut self, lr: f64) {
        self.lrs.push(lr);
        if let Some(momenta) = &mut self.momenta {
            momenta.push(UNTOUCHED_MOMENTUM);
        }
    }
}

impl ParameterGroupRates for Groups {
    fn groups(&self) -> usize {
        self.lrs.len()
    }

    fn lr(&self, group: usize) -> f64 {
        self.lrs[group]
    }

    fn set_lr(&mut self, group: usize, lr: f64) {
        self.lrs[group] = lr;
    }

    fn momentum(&self, group: usize) -> Option<f64> {
        self.momenta.as_ref().map(|momenta| momenta[group])
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) {
        self.momenta.as_mut().expect("there is a momentum to set")[group] = momentum;
    }
}
