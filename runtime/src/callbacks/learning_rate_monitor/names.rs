//! The names of the logged values.

use crate::context::{RunContext, RunningLrScheduler};
use crate::every::Every;
use crate::optim::{Optimizer, ParameterGroup};
use crate::schedule::Interval;
use std::collections::HashMap;

/// An optimizer with the name of its values.
pub(super) struct Watched<'a> {
    pub(super) optimizer: &'a Optimizer,
    /// The interval of its scheduler; `None` without one.
    pub(super) interval: Option<Interval>,
    name: String,
}

/// The logged values of a parameter group.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) lr: f64,
    /// The momentum, or the first of `betas`; `None` if the algorithm has neither.
    pub(super) momentum: Option<f64>,
    pub(super) weight_decay: f64,
}

impl Values {
    fn of(group: &ParameterGroup) -> Self {
        Self {
            lr: group.lr(),
            momentum: group.momentum(),
            weight_decay: group.algorithm().weight_decay().unwrap_or_default(),
        }
    }
}

impl Watched<'_> {
    /// Returns the values of each parameter group, with the name of the group.
    pub(super) fn groups(&self) -> Vec<(String, Values)> {
        let groups = self.optimizer.groups();
        let is_alone = groups.len() == 1;
        let name = |number: usize| if is_alone { self.name.clone() } else { format!("{}/pg{number}", self.name) };
        groups.iter().enumerate().map(|(index, group)| (name(index + 1), Values::of(group))).collect()
    }
}

/// Returns the optimizers: first those with a scheduler, in the order of the schedulers.
pub(super) fn watched<'a>(ctx: &'a RunContext, prefix: &str) -> Vec<Watched<'a>> {
    let mut names = Names { prefix, counts: HashMap::new() };
    let schedulers = ctx.lr_schedulers();
    let scheduled = schedulers.iter().map(|scheduler| {
        let optimizer = &ctx.optimizers()[scheduler.optimizer().get()];
        let name = names.next(optimizer, scheduler.config().name.as_deref());
        Watched { optimizer, interval: Some(interval(scheduler)), name }
    });
    let mut watched: Vec<Watched<'_>> = scheduled.collect();
    for (index, optimizer) in ctx.optimizers().iter().enumerate() {
        if !schedulers.iter().any(|scheduler| scheduler.optimizer().get() == index) {
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
    /// The number of optimizers that are named after each algorithm.
    counts: HashMap<&'static str, usize>,
}

impl Names<'_> {
    /// Returns the name of the scheduler, or one from the algorithm: `lr-SGD`, `lr-SGD-1`, … As in Lightning, the name of a
    /// scheduler is numbered too, after two optimizers of the algorithm.
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
    use crate::optim::{AdamW, Algorithm, OptimizerIndex, Sgd};
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
    fn names_match_lightning() {
        let sgd = || Sgd::new(0.1).into();
        let unnamed = || LrSchedulerConfig::from(StepLr::new(1));
        let ctx = run(vec![sgd(), sgd(), AdamW::new(0.1).into()], Vec::new());
        assert_eq!(names(&ctx, ""), ["lr-SGD", "lr-SGD-1", "lr-AdamW"]);
        // the names that Lightning 2.6.6 logs for the same optimizers
        let ctx = run(vec![sgd(), sgd(), sgd()], vec![(1, unnamed().name("warm")), (0, unnamed())]);
        assert_eq!(names(&ctx, "optim/"), ["optim/warm", "optim/lr-SGD", "optim/lr-SGD-1"]);
        let ctx = run(vec![sgd(), sgd(), sgd()], vec![(0, unnamed()), (1, unnamed()), (2, unnamed().name("late"))]);
        assert_eq!(names(&ctx, ""), ["lr-SGD", "lr-SGD-1", "late-1"]);
    }

    #[test]
    fn intervals_are_steps_unless_the_scheduler_counts_epochs() {
        let every = |every| LrSchedulerConfig::from(StepLr::new(1)).every(every);
        let ctx = run(
            vec![Sgd::new(0.1).into(), Sgd::new(0.1).into(), Sgd::new(0.1).into()],
            vec![(0, every(Every::Epochs(2))), (1, every(Every::OptimizerSteps(5)))],
        );
        let intervals: Vec<_> = watched(&ctx, "").iter().map(|watched| watched.interval).collect();
        assert_eq!(intervals, [Some(Interval::Epoch), Some(Interval::Step), None]);
    }
}
