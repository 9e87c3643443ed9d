use serde_json::{Value, from_value, json, to_value};
use tch_lightning::schedule::{
    AnnealStrategy, ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, CyclicMode,
    ExponentialLr, Interval, LambdaLr, LinearLr, LrSchedulerConfig, MultiStepLr, MultiplicativeLr, OneCycleLr,
    PlateauMode, PolynomialLr, ReduceLrOnPlateau, Schedule, SequentialLr, StepLr, SwaLr, ThresholdMode,
};

#[test]
fn schedule_is_serialized_with_its_name() {
    let schedules: [(Schedule, Value); 13] = [
        (StepLr::new(30).into(), json!({"name": "step", "step_size": 30, "gamma": 0.1})),
        (
            SwaLr::new(0.05).into(),
            json!({"name": "swa", "swa_lr": 0.05, "anneal_epochs": 10, "anneal_strategy": "cos"}),
        ),
        (MultiStepLr::new([5, 9]).into(), json!({"name": "multi_step", "milestones": [5, 9], "gamma": 0.1})),
        (ConstantLr::default().into(), json!({"name": "constant", "factor": 1.0 / 3.0, "total_iters": 5})),
        (
            LinearLr::default().into(),
            json!({"name": "linear", "start_factor": 1.0 / 3.0, "end_factor": 1.0, "total_iters": 5}),
        ),
        (ExponentialLr::new(0.9).into(), json!({"name": "exponential", "gamma": 0.9})),
        (PolynomialLr::default().into(), json!({"name": "polynomial", "total_iters": 5, "power": 1.0})),
        (CosineAnnealingLr::new(9).into(), json!({"name": "cosine_annealing", "t_max": 9, "eta_min": 0.0})),
        (
            CosineAnnealingWarmRestarts::new(9).into(),
            json!({"name": "cosine_annealing_warm_restarts", "t_0": 9, "t_mult": 1, "eta_min": 0.0}),
        ),
        (
            CyclicLr::new([0.1, 0.2], 0.5).into(),
            json!({"name": "cyclic",
                "base_lr": [0.1, 0.2], "max_lr": 0.5, "step_size_up": 2000, "step_size_down": null,
                "mode": "triangular", "gamma": 1.0, "scale_mode": "cycle",
                "cycle_momentum": true, "base_momentum": 0.8, "max_momentum": 0.9,
            }),
        ),
        (
            OneCycleLr::new(0.1).epochs(3).steps_per_epoch(4).into(),
            json!({"name": "one_cycle",
                "max_lr": 0.1, "total_steps": null, "epochs": 3, "steps_per_epoch": 4, "pct_start": 0.3,
                "anneal_strategy": "cos", "cycle_momentum": true, "base_momentum": 0.85, "max_momentum": 0.95,
                "div_factor": 25.0, "final_div_factor": 10000.0, "three_phase": false,
            }),
        ),
        (
            ReduceLrOnPlateau::default().into(),
            json!({"name": "reduce_lr_on_plateau",
                "mode": "min", "factor": 0.1, "patience": 10, "threshold": 1e-4, "threshold_mode": "rel",
                "cooldown": 0, "min_lr": 0.0, "eps": 1e-8,
            }),
        ),
        (
            SequentialLr::warm_up(LinearLr::default(), ChainedScheduler::new([StepLr::new(3).into()])).into(),
            json!({"name": "sequential",
                "schedulers": [
                    {"name": "linear", "start_factor": 1.0 / 3.0, "end_factor": 1.0, "total_iters": 5},
                    {"name": "chained", "schedulers": [{"name": "step", "step_size": 3, "gamma": 0.1}]},
                ],
                "milestones": [5],
            }),
        ),
    ];
    for (schedule, expected) in schedules {
        assert_eq!(to_value(&schedule).unwrap(), expected);
        assert_eq!(from_value::<Schedule>(expected).unwrap(), schedule);
    }
}

#[test]
fn missing_fields_have_their_defaults() {
    let schedules: [(Value, Schedule); 10] = [
        (json!({"name": "step", "step_size": 30}), StepLr::new(30).into()),
        (json!({"name": "swa", "swa_lr": [0.1, 0.2]}), SwaLr::new([0.1, 0.2]).into()),
        (json!({"name": "multi_step", "milestones": [3]}), MultiStepLr::new([3]).into()),
        (json!({"name": "constant", "factor": 0.5}), ConstantLr::default().factor(0.5).into()),
        (json!({"name": "linear", "end_factor": 0.5}), LinearLr::default().end_factor(0.5).into()),
        (json!({"name": "polynomial", "power": 2.0}), PolynomialLr::default().power(2.0).into()),
        (json!({"name": "cosine_annealing_warm_restarts", "t_0": 3}), CosineAnnealingWarmRestarts::new(3).into()),
        (
            json!({"name": "cyclic", "base_lr": 0.1, "max_lr": 0.2, "mode": "exp_range"}),
            CyclicLr::new(0.1, 0.2).mode(CyclicMode::ExpRange).into(),
        ),
        (
            json!({"name": "one_cycle", "max_lr": 0.1, "total_steps": 9, "anneal_strategy": "linear"}),
            OneCycleLr::new(0.1).total_steps(9).anneal_strategy(AnnealStrategy::Linear).into(),
        ),
        (
            json!({"name": "reduce_lr_on_plateau", "mode": "max", "threshold_mode": "abs"}),
            ReduceLrOnPlateau::default().mode(PlateauMode::Max).threshold_mode(ThresholdMode::Abs).into(),
        ),
    ];
    for (written, schedule) in schedules {
        assert_eq!(from_value::<Schedule>(written).unwrap(), schedule);
    }
}

#[test]
fn pytorchs_names_are_read() {
    for (written, schedule) in [
        (json!({"name": "StepLR", "step_size": 30}), Schedule::from(StepLr::new(30))),
        (json!({"name": "CosineAnnealingLR", "T_max": 9}), CosineAnnealingLr::new(9).into()),
        (
            json!({"name": "CosineAnnealingWarmRestarts", "T_0": 9, "T_mult": 1}),
            CosineAnnealingWarmRestarts::new(9).into(),
        ),
        (json!({"name": "ReduceLROnPlateau"}), ReduceLrOnPlateau::default().into()),
    ] {
        assert_eq!(from_value::<Schedule>(written).unwrap(), schedule);
    }
}

#[test]
fn config_of_a_scheduler_is_serialized_as_one_table() {
    let config = LrSchedulerConfig::from(StepLr::new(30)).interval(Interval::Step).name("rate");
    let expected = json!({
        "name": "step", "step_size": 30, "gamma": 0.1, "interval": "step", "frequency": 1, "every": null,
        "monitor": null, "strict": true, "log_name": "rate",
    });
    assert_eq!(to_value(&config).unwrap(), expected);
    assert_eq!(from_value::<LrSchedulerConfig>(expected).unwrap(), config);
    let refusal = from_value::<LrSchedulerConfig>(json!({"name": "step", "step_size": 3, "intervall": "step"}));
    let refusal = refusal.unwrap_err().to_string();
    assert!(refusal.starts_with("unknown field `intervall`, expected `step_size` or `gamma`"), "{refusal}");
}

#[test]
fn required_fields_and_unknown_fields_are_errors() {
    let refusal = |written| from_value::<Schedule>(written).unwrap_err().to_string();
    assert_eq!(refusal(json!({"name": "step", "gamma": 0.5})), "missing field `step_size`");
    assert_eq!(refusal(json!({"name": "one_cycle", "total_steps": 5})), "missing field `max_lr`");
    assert!(
        refusal(json!({"name": "linear", "total_iter": 5})).starts_with("unknown field `total_iter`, expected one of")
    );
    assert!(refusal(json!({"name": "steps", "step_size": 5})).starts_with("unknown variant `steps`, expected one of "));
    assert_eq!(
        refusal(json!({"name": "one_cycle", "max_lr": "high"})),
        "write one value for all parameter groups, or a list with one for each"
    );
}

#[test]
fn functions_are_not_serialized() {
    let refusal = |schedule: Schedule| to_value(schedule).unwrap_err().to_string();
    assert_eq!(refusal(LambdaLr::new(|_| 1.0).into()), "the enum variant Schedule::LambdaLr cannot be serialized");
    assert_eq!(
        refusal(ChainedScheduler::new([StepLr::new(3).into(), MultiplicativeLr::new(|_| 1.0).into()]).into()),
        "the enum variant Schedule::MultiplicativeLr cannot be serialized"
    );
    assert_eq!(
        refusal(CyclicLr::new(0.1, 0.2).scale_fn(|_| 1.0).into()),
        "a CyclicLr with a scale_fn cannot be serialized, as a function cannot"
    );
    let lambda = from_value::<Schedule>(json!({"name": "lambda_lr", "lr_lambda": 1})).unwrap_err().to_string();
    assert!(lambda.starts_with("unknown variant `lambda_lr`"), "{lambda}");
}
