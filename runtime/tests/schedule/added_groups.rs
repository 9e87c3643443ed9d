//! Tests of groups that are added to the optimizer while it is scheduled, as finetuning does. `table.json` has the rates of
//! those that PyTorch accepts; these tests cover the others.

use tch_lightning::schedule::{
    CyclicLr, ExponentialLr, LambdaLr, LrLambda, LrScheduler, OneCycleLr, ReduceLrOnPlateau, Schedule, SequentialLr,
    StepLr,
};

use crate::table::Groups;

/// A scheduler after `steps` steps with one group of rate 1 and momentum 0.5, and a second group of rate 0.25 added.
fn joined(schedule: impl Into<Schedule>, steps: usize) -> (LrScheduler, Groups) {
    let mut groups = Groups { lrs: vec![1.0], momenta: Some(vec![0.5]) };
    let mut scheduler = LrScheduler::new(schedule, &mut groups).unwrap();
    for _ in 0..steps {
        scheduler.step(&mut groups).unwrap();
    }
    groups.add(0.25);
    (scheduler, groups)
}

#[test]
fn added_group_is_multiplied_like_the_others() {
    let (mut scheduler, mut groups) = joined(ExponentialLr::new(0.5), 2);
    assert_eq!(scheduler.last_lr(), [0.25]);
    scheduler.step(&mut groups).unwrap();
    assert_eq!(groups.lrs, [0.125, 0.125]);
    assert_eq!(scheduler.last_lr(), [0.125, 0.125]);

    let (mut scheduler, mut groups) = joined(StepLr::new(3).gamma(0.5), 1);
    let mut rates = Vec::new();
    for _ in 0..2 {
        scheduler.step(&mut groups).unwrap();
        rates.push(groups.lrs.clone());
    }
    assert_eq!(rates, [[1.0, 0.25], [0.5, 0.125]]);
}

#[test]
fn added_group_starts_with_its_current_rate() {
    let (mut scheduler, mut groups) = joined(LambdaLr::new(|step| 1.0 / (step + 1) as f64), 2);
    scheduler.step(&mut groups).unwrap();
    assert_eq!(groups.lrs, [0.25, 0.0625]);

    let halves = SequentialLr::new([ExponentialLr::new(0.5).into(), StepLr::new(5).into()], [4]);
    let (mut scheduler, mut groups) = joined(halves, 2);
    let mut rates = Vec::new();
    for _ in 0..2 {
        scheduler.step(&mut groups).unwrap();
        rates.push(groups.lrs.clone());
    }
    assert_eq!(rates, [[0.125, 0.125], [1.0, 0.25]]);
}

#[test]
fn added_group_has_the_bounds_of_all_groups() {
    for schedule in
        [CyclicLr::new(0.001, 0.1).step_size_up(4).into(), OneCycleLr::new(0.1).total_steps(10).into()] as [Schedule; 2]
    {
        let (mut scheduler, mut groups) = joined(schedule, 2);
        scheduler.step(&mut groups).unwrap();
        assert_eq!(groups.lrs[0], groups.lrs[1]);
        let momenta = groups.momenta.unwrap();
        assert_eq!(momenta[0], momenta[1]);
        assert!(groups.lrs[0] < 0.1 && momenta[0] < 0.95, "{momenta:?}");
    }
}

#[test]
fn added_group_is_rejected_by_lists_for_each_group() {
    let each = |lambda: fn(u64) -> f64| LambdaLr::per_group([LrLambda::new(lambda)]);
    let (mut scheduler, mut groups) = joined(each(|step| 0.5_f64.powf(step as f64)), 1);
    let before = (groups.clone(), scheduler.state());
    assert_eq!(
        scheduler.step(&mut groups).unwrap_err().to_string(),
        "LambdaLR: lr_lambda must be one value for all parameter groups, or a list with one for each, but it has 1 values \
         for 2 groups"
    );
    assert_eq!((groups, scheduler.state()), before);

    let mut groups = Groups::without_momentum([1.0]);
    let mut scheduler = LrScheduler::new(ReduceLrOnPlateau::default().min_lr([0.1]), &mut groups).unwrap();
    groups.add(0.5);
    assert_eq!(
        scheduler.step_with_metric(&mut groups, 1.0).unwrap_err().to_string(),
        "ReduceLROnPlateau: min_lr must be one value for all parameter groups, or a list with one for each, but it has 1 \
         values for 2 groups"
    );
}

#[test]
fn added_group_is_reduced_on_a_plateau() {
    let mut groups = Groups::without_momentum([1.0]);
    let plateau = ReduceLrOnPlateau::default().patience(0).factor(0.5).min_lr(0.2);
    let mut scheduler = LrScheduler::new(plateau, &mut groups).unwrap();
    scheduler.step_with_metric(&mut groups, 1.0).unwrap();
    groups.add(0.25);
    scheduler.step_with_metric(&mut groups, 1.0).unwrap();
    assert_eq!(groups.lrs, [0.5, 0.2]);
    assert_eq!(scheduler.last_lr(), [0.5, 0.2]);
}

#[test]
fn removed_groups_are_an_error() {
    let mut groups = Groups::without_momentum([1.0, 0.5]);
    let mut scheduler = LrScheduler::new(ExponentialLr::new(0.5), &mut groups).unwrap();
    groups.lrs.pop();
    assert_eq!(
        scheduler.step(&mut groups).unwrap_err().to_string(),
        "ExponentialLR: the number of parameter groups is 1, but it was 2 before, and groups cannot be removed"
    );
    assert_eq!(groups.lrs, [1.0]);
}

#[test]
fn added_group_is_part_of_the_state() {
    let (mut scheduler, mut groups) = joined(LambdaLr::new(|step| 1.0 / (step + 1) as f64), 2);
    scheduler.step(&mut groups).unwrap();
    let mut resumed = LrScheduler::new(scheduler.schedule().clone(), &mut Groups::without_momentum([1.0])).unwrap();
    resumed.load_state(&scheduler.state()).unwrap();
    resumed.step(&mut groups).unwrap();
    assert_eq!(groups.lrs, [0.2, 0.05]);
}
