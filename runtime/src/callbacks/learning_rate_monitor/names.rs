//! The names under which the optimizers' values are logged.

use crate::context::{RunContext, RunningLrScheduler};
use crate::every::Every;
use crate::optim::{Algorithm, Optimizer, ParameterGroup};
use crate::schedule::Interval;
use std::collections::HashMap;

/// An optimizer with what its values are called.
pub(super) struct Watched<'a> {
    pub(super) optimizer: &'a Optimizer,
    /// When its scheduler steps; `None` where it has none.
    pub(super) interval: Option<Interval>,
    name: String,
}

/// What is logged of a parameter group.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) lr: f64,
    /// The first of `betas`, where the algorithm has those in place of a momentum; `None` where it has neither.
    pub(super) momentum: Option<f64>,
    pub(super) weight_decay: f64,
}

impl Values {
    fn of(group: &ParameterGroup) -> Self {
        Self { lr: group.lr(), momentum: group.momentum(), weight_decay: weight_decay(group.algorithm()) }
    }
}

fn weight_decay(algorithm: &Algorithm) -> f64 {
    match algorithm {
        Algorithm::Sgd(sgd) => sgd.weight_decay,
        Algorithm::Adam(adam) => adam.weight_decay,
        Algorithm::AdamW(adamw) => adamw.weight_decay,
        Algorithm::Adamax(adamax) => adamax.weight_decay,
        Algorithm::NAdam(nadam) => nadam.weight_decay,
        Algorithm::RAdam(radam) => radam.weight_decay,
        Algorithm::RmsProp(rms_prop) => rms_prop.weight_decay,
        Algorithm::Adagrad(adagrad) => adagrad.weight_decay,
        Algorithm::Adadelta(adadelta) => adadelta.weight_decay,
        Algorithm::Lbfgs(_) => 0.0,
    }
}

impl Watched<'_> {
    /// The values of each parameter group, with the group's name.
    pub(super) fn groups(&self) -> Vec<(String, Values)> {
        let groups = self.optimizer.groups();
        let is_alone = groups.len() == 1;
        let name = |number: usize| if is_alone { self.name.clone() } else { format!("{}/pg{number}", self.name) };
        groups.iter().enumerate().map(|(index, group)| (name(index + 1), Values::of(group))).collect()
    }
}

/// The optimizers: first those with a scheduler, in the order of the schedulers.
pub(super) fn watched<'a>(ctx: &'a RunContext, prefix: &str) -> Vec<Watched<'a>> {
    let mut names = Names { prefix, counts: HashMap::new() };
    let schedulers = ctx.lr_schedulers();
    let scheduled = schedulers.iter().map(|scheduler| {
        let optimizer = &ctx.optimizers()[scheduler.optimizer().get()];
        let name = names.next(optimizer, scheduler.config().name.as_deref());
        Watched { optimizer, interval: Some(interval(scheduler)), name }
    });
    let mut watched: Vec<Watched<'_>> = scheduled.collect();
    for (place, optimizer) in ctx.optimizers().iter().enumerate() {
        if !schedulers.iter().any(|scheduler| scheduler.optimizer().get() == place) {
            watched.push(Watched { optimizer, interval: None, name: names.next(optimizer, None) });
        }
    }
    watched
}

fn interval(scheduler: &RunningLrScheduler) -> Interval {
    match scheduler.config().every {
        None => scheduler.config().interval,
        Some(Every::Epochs(_)) => Interval::Epoch,
        Some(_) => Interval::Step,
    }
}

struct Names<'a> {
    prefix: &'a str,
    /// How many optimizers of each algorithm have got their name from it.
    counts: HashMap<&'static str, usize>,
}

impl Names<'_> {
    /// The scheduler's own name, or one made from the algorithm's: `lr-SGD`, `lr-SGD-1`, … As in Lightning, the number
    /// stands behind own names too, once two of the algorithm were met.
    fn next(&mut self, optimizer: &Optimizer, own: Option<&str>) -> String {
        let algorithm = optimizer.algorithm().name();
        let count = self.counts.entry(algorithm).or_default();
        if own.is_none() {
            *count += 1;
        }
        let number = if *count > 1 { format!("-{}", *count - 1) } else { String::new() };
        let name = own.map_or_else(|| format!("lr-{algorithm}"), str::to_owned);
        format!("{}{name}{number}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainerConfig;
    use crate::optim::{AdamW, OptimizerIndex, Sgd};
    use crate::schedule::{LrSchedulerConfig, StepLr};
    use tch::{Device, Kind, Tensor};

    fn run(algorithms: Vec<Algorithm>, schedulers: Vec<(usize, LrSchedulerConfig)>) -> RunContext {
        let mut ctx = RunContext::new(TrainerConfig::default());
        for algorithm in algorithms {
            let weight = Tensor::ones([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
            ctx.add_optimizer(Optimizer::new(algorithm, vec![("weight".to_owned(), weight)]).unwrap());
        }
        for (optimizer, config) in schedulers {
            ctx.add_lr_scheduler(OptimizerIndex(optimizer), config).unwrap();
        }
        ctx
    }

    fn names(ctx: &RunContext, prefix: &str) -> Vec<String> {
        watched(ctx, prefix).iter().flat_map(Watched::groups).map(|(name, _)| name).collect()
    }

    #[test]
    fn names_are_lightnings() {
        let sgd = || Sgd::new(0.1).into();
        let unnamed = || LrSchedulerConfig::from(StepLr::new(1));
        let ctx = run(vec![sgd(), sgd(), AdamW::new(0.1).into()], Vec::new());
        assert_eq!(names(&ctx, ""), ["lr-SGD", "lr-SGD-1", "lr-AdamW"]);
        // what Lightning 2.6.6 logs of the same optimizers
        let ctx = run(vec![sgd(), sgd(), sgd()], vec![(1, unnamed().name("warm")), (0, unnamed())]);
        assert_eq!(names(&ctx, "optim/"), ["optim/warm", "optim/lr-SGD", "optim/lr-SGD-1"]);
        let ctx = run(vec![sgd(), sgd(), sgd()], vec![(0, unnamed()), (1, unnamed()), (2, unnamed().name("late"))]);
        assert_eq!(names(&ctx, ""), ["lr-SGD", "lr-SGD-1", "late-1"]);
    }

    #[test]
    fn a_scheduler_by_the_clock_is_met_at_steps_and_one_by_epochs_at_epochs() {
        let every = |every| LrSchedulerConfig::from(StepLr::new(1)).every(every);
        let ctx = run(
            vec![Sgd::new(0.1).into(), Sgd::new(0.1).into(), Sgd::new(0.1).into()],
            vec![(0, every(Every::Epochs(2))), (1, every(Every::OptimizerSteps(5)))],
        );
        let intervals: Vec<_> = watched(&ctx, "").iter().map(|watched| watched.interval).collect();
        assert_eq!(intervals, [Some(Interval::Epoch), Some(Interval::Step), None]);
    }
}
