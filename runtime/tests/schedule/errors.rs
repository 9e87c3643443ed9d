use tch_lightning::schedule::{
    ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, ExponentialLr, LambdaLr,
    LinearLr, LrLambda, LrScheduler, MultiStepLr, MultiplicativeLr, OneCycleLr, PolynomialLr, ReduceLrOnPlateau,
    Schedule, SequentialLr, StepLr, SwaLr,
};

use crate::table::Groups;

/// A scheduler is `Send`, so that training can run on another thread.
const _: fn() = || {
    fn may_be_sent<T: Send>() {}
    may_be_sent::<LrScheduler>();
};

fn two_groups() -> Groups {
    Groups { lrs: vec![0.1, 0.2], momenta: Some(vec![0.9, 0.9]) }
}

fn refusal(schedule: impl Into<Schedule>) -> String {
    let mut groups = two_groups();
    let refusal = LrScheduler::new(schedule, &mut groups).expect_err("there was no error").to_string();
    assert_eq!(groups, two_groups(), "nothing is set");
    refusal
}

#[test]
fn hyperparameters_out_of_range_are_rejected() {
    let one_cycle = || OneCycleLr::new(0.1).total_steps(10);
    for (schedule, sentence) in [
        (SwaLr::new(f64::NAN).into(), "SWALR: swa_lr must be a finite number, but it is NaN"),
        (StepLr::new(0).into(), "StepLR: step_size must be at least 1, but it is 0"),
        (StepLr::new(1).gamma(f64::NAN).into(), "StepLR: gamma must be a finite number, but it is NaN"),
        (
            MultiStepLr::new([1]).gamma(f64::INFINITY).into(),
            "MultiStepLR: gamma must be a finite number, but it is inf",
        ),
        (ConstantLr::default().factor(1.5).into(), "ConstantLR: factor must be above 0 and at most 1, but it is 1.5"),
        (ConstantLr::default().factor(0.0).into(), "ConstantLR: factor must be above 0 and at most 1, but it is 0"),
        (
            LinearLr::default().start_factor(0.0).into(),
            "LinearLR: start_factor must be above 0 and at most 1, but it is 0",
        ),
        (
            LinearLr::default().end_factor(-0.1).into(),
            "LinearLR: end_factor must be at least 0 and at most 1, but it is -0.1",
        ),
        (ExponentialLr::new(f64::NAN).into(), "ExponentialLR: gamma must be a finite number, but it is NaN"),
        (
            PolynomialLr::new(5).power(-1.0).into(),
            "PolynomialLR: power must be a finite number of 0 or more, but it is -1",
        ),
        (CosineAnnealingLr::new(0).into(), "CosineAnnealingLR: t_max must be at least 1, but it is 0"),
        (
            CosineAnnealingLr::new(1).eta_min(f64::NAN).into(),
            "CosineAnnealingLR: eta_min must be a finite number, but it is NaN",
        ),
        (
            CosineAnnealingWarmRestarts::new(0).into(),
            "CosineAnnealingWarmRestarts: t_0 must be at least 1, but it is 0",
        ),
        (
            CosineAnnealingWarmRestarts::new(1).t_mult(0).into(),
            "CosineAnnealingWarmRestarts: t_mult must be at least 1, but it is 0",
        ),
        (CyclicLr::new(0.1, 0.2).step_size_up(0).into(), "CyclicLR: step_size_up must be at least 1, but it is 0"),
        (CyclicLr::new(0.1, [0.2, f64::NAN]).into(), "CyclicLR: max_lr must be a finite number, but it is NaN"),
        (
            OneCycleLr::new(0.1).epochs(3).into(),
            "OneCycleLr needs the number of steps of the run: add `.total_steps(ctx.estimated_stepping_batches()?)` in \
             `configure_optimizers`, or `.epochs(…)` and `.steps_per_epoch(…)`",
        ),
        (one_cycle().total_steps(0).into(), "OneCycleLR: total_steps must be at least 1, but it is 0"),
        (
            OneCycleLr::new(0.1).epochs(3).steps_per_epoch(0).into(),
            "OneCycleLR: steps_per_epoch must be at least 1, but it is 0",
        ),
        (one_cycle().pct_start(1.1).into(), "OneCycleLR: pct_start must be at least 0 and at most 1, but it is 1.1"),
        (one_cycle().div_factor(0.0).into(), "OneCycleLR: div_factor must be a finite number above 0, but it is 0"),
        (
            one_cycle().final_div_factor(-1.0).into(),
            "OneCycleLR: final_div_factor must be a finite number above 0, but it is -1",
        ),
        (
            ReduceLrOnPlateau::default().factor(1.0).into(),
            "ReduceLROnPlateau: factor must be a finite number below 1, but it is 1",
        ),
        (
            ReduceLrOnPlateau::default().min_lr(f64::NAN).into(),
            "ReduceLROnPlateau: min_lr must be a finite number, but it is NaN",
        ),
    ] as [(Schedule, &str); 24]
    {
        assert_eq!(schedule.validate().unwrap_err().to_string(), sentence);
        assert_eq!(refusal(schedule.clone()), sentence);
        let composed = ChainedScheduler::new([StepLr::new(3).into(), schedule]);
        assert_eq!(refusal(composed), sentence);
    }
}

#[test]
fn lists_that_do_not_fit_the_groups_are_rejected() {
    let of_3 = |schedule: &str, name: &str| {
        format!(
            "{schedule}: {name} must be one value for all parameter groups, or a list with one for each, but it has 3 \
             values for 2 groups"
        )
    };
    let one_cycle = || OneCycleLr::new(0.1).total_steps(10);
    let lr_lambdas = || vec![LrLambda::new(|_| 1.0); 3];
    for (schedule, sentence) in [
        (CyclicLr::new([0.1; 3], 0.2).into(), of_3("CyclicLR", "base_lr")),
        (CyclicLr::new(0.1, [0.2; 3]).into(), of_3("CyclicLR", "max_lr")),
        (CyclicLr::new(0.1, 0.2).base_momentum([0.8; 3]).into(), of_3("CyclicLR", "base_momentum")),
        (CyclicLr::new(0.1, 0.2).max_momentum([0.8; 3]).into(), of_3("CyclicLR", "max_momentum")),
        (OneCycleLr::new([0.1; 3]).total_steps(5).into(), of_3("OneCycleLR", "max_lr")),
        (one_cycle().base_momentum([0.8; 3]).into(), of_3("OneCycleLR", "base_momentum")),
        (one_cycle().max_momentum([0.8; 3]).into(), of_3("OneCycleLR", "max_momentum")),
        (LambdaLr::per_group(lr_lambdas()).into(), of_3("LambdaLR", "lr_lambda")),
        (MultiplicativeLr::per_group(lr_lambdas()).into(), of_3("MultiplicativeLR", "lr_lambda")),
        (ReduceLrOnPlateau::default().min_lr([0.1; 3]).into(), of_3("ReduceLROnPlateau", "min_lr")),
    ] as [(Schedule, String); 10]
    {
        assert_eq!(refusal(schedule.clone()), sentence);
        if !schedule.needs_metric() {
            assert_eq!(refusal(SequentialLr::new([StepLr::new(3).into(), schedule], [5])), sentence);
        }
    }
}

#[test]
fn cycling_a_missing_momentum_is_an_error() {
    let refusal = |schedule: Schedule| {
        let mut groups = Groups::without_momentum([0.1]);
        LrScheduler::new(schedule, &mut groups).expect_err("there was no error").to_string()
    };
    assert_eq!(
        refusal(CyclicLr::new(0.1, 0.2).into()),
        "CyclicLR cycles the momentum, but parameter group 0 has neither a momentum nor a beta1; call \
         cycle_momentum(false), or choose another optimizer"
    );
    assert!(refusal(OneCycleLr::new(0.1).total_steps(3).into()).starts_with("OneCycleLR cycles the momentum"));
    let left_alone = OneCycleLr::new(0.1).total_steps(3).cycle_momentum(false);
    LrScheduler::new(left_alone, &mut Groups::without_momentum([0.1])).unwrap();
}

#[test]
fn invalid_compositions_are_rejected() {
    let step = || Schedule::from(StepLr::new(3));
    let plateau = || Schedule::from(ReduceLrOnPlateau::default());
    let chained = || Schedule::from(ChainedScheduler::new([step()]));
    for (schedule, sentence) in [
        (SequentialLr::new([], []).into(), "SequentialLR must have at least one scheduler, but it has none"),
        (ChainedScheduler::new([]).into(), "ChainedScheduler must have at least one scheduler, but it has none"),
        (
            SequentialLr::new([step(), step()], [3, 5]).into(),
            "SequentialLR must have one milestone less than schedulers, but it has 2 milestones and 2 schedulers",
        ),
        (
            SequentialLr::new([step(), step(), step()], [5, 3]).into(),
            "SequentialLR: milestones must be in ascending order, but 3 follows 5",
        ),
        (
            SequentialLr::new([plateau(), step()], [3]).into(),
            "SequentialLR: scheduler 0 is ReduceLROnPlateau, which requires a metric and cannot be part of another",
        ),
        (
            SequentialLr::new([step(), plateau()], [3]).into(),
            "SequentialLR: scheduler 1 is ReduceLROnPlateau, which requires a metric and cannot be part of another",
        ),
        (
            ChainedScheduler::new([step(), plateau()]).into(),
            "ChainedScheduler: scheduler 1 is ReduceLROnPlateau, which requires a metric and cannot be part of another",
        ),
        (
            SequentialLr::new([chained(), chained()], [3]).into(),
            "SequentialLR: scheduler 1 is ChainedScheduler, which is a composition and can only be first",
        ),
    ] as [(Schedule, &str); 8]
    {
        assert_eq!(schedule.validate().unwrap_err().to_string(), sentence);
        assert_eq!(refusal(schedule), sentence);
    }
}

#[test]
fn metric_that_is_missing_or_unexpected_is_an_error() {
    let mut groups = two_groups();
    let mut plateau = LrScheduler::new(ReduceLrOnPlateau::default(), &mut groups).unwrap();
    assert!(plateau.needs_metric());
    assert_eq!(
        plateau.step(&mut groups).unwrap_err().to_string(),
        "ReduceLROnPlateau requires a metric; call `step_with_metric`"
    );
    let mut step = LrScheduler::new(StepLr::new(3), &mut groups).unwrap();
    assert!(!step.needs_metric());
    assert_eq!(
        step.step_with_metric(&mut groups, 0.5).unwrap_err().to_string(),
        "StepLR does not use a metric; call `step`"
    );
}

/// As in PyTorch, one step more than `total_steps` rates is allowed.
#[test]
fn step_after_the_end_of_a_cycle_is_an_error() {
    let mut groups = two_groups();
    let one_cycle = OneCycleLr::new(0.1).total_steps(5);
    let chained = ChainedScheduler::new([ExponentialLr::new(0.5).into(), one_cycle.into()]);
    let mut scheduler = LrScheduler::new(chained, &mut groups).unwrap();
    for _ in 0..5 {
        scheduler.step(&mut groups).unwrap();
    }
    let before = (groups.clone(), scheduler.state());
    assert_eq!(
        scheduler.step(&mut groups).unwrap_err().to_string(),
        "OneCycleLR cannot take step 6, as its total_steps is 5; set total_steps to the number of steps of the training"
    );
    assert_eq!((groups, scheduler.state()), before);
}
