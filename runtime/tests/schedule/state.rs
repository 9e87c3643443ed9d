use serde_json::json;
use tch_lightning::schedule::{
    ChainedScheduler, ExponentialLr, LrScheduler, LrSchedulerState, PlateauMode, ReduceLrOnPlateau, Schedule, StepLr,
};

use crate::table::{CASES, Groups};

/// Serializes and deserializes a state, as a checkpoint does.
fn written_and_read(state: &LrSchedulerState) -> LrSchedulerState {
    serde_json::from_value(serde_json::to_value(state).unwrap()).unwrap()
}

/// Returns a second scheduler that continues from here with a second optimizer.
fn resumed(scheduler: &LrScheduler, from: &Groups, now: &Groups) -> (LrScheduler, Groups) {
    let mut groups = from.clone();
    let mut resumed = LrScheduler::new(scheduler.schedule().clone(), &mut groups).unwrap();
    resumed.load_state(&written_and_read(&scheduler.state())).unwrap();
    (resumed, now.clone())
}

#[test]
fn steps_after_load_state_are_bit_for_bit_the_same() {
    for case in CASES.iter() {
        for saved_after in [0, 1, 9, 20, 61, 130] {
            let mut groups = case.groups();
            let mut scheduler = LrScheduler::new(case.schedule(), &mut groups).unwrap();
            for step in 0..saved_after.min(case.steps()) {
                case.step(step, &mut scheduler, &mut groups).unwrap();
            }
            let (mut resumed, mut resumed_groups) = resumed(&scheduler, &case.groups(), &groups);
            assert_eq!(resumed.last_lr(), scheduler.last_lr());
            for step in saved_after..case.steps() {
                case.step(step, &mut scheduler, &mut groups).unwrap();
                case.step(step, &mut resumed, &mut resumed_groups).unwrap();
                assert_eq!(resumed_groups, groups, "{}, saved after {saved_after}, step {step}", case.name);
            }
            assert_eq!(resumed.state(), scheduler.state());
        }
    }
}

#[test]
fn state_has_pytorchs_names() {
    let mut groups = Groups::without_momentum([0.5, 0.25]);
    let chained = ChainedScheduler::new([StepLr::new(3).into(), ExponentialLr::new(0.5).into()]);
    let mut scheduler = LrScheduler::new(chained, &mut groups).unwrap();
    scheduler.step(&mut groups).unwrap();
    let memory = |initial_lr| {
        json!({
            "initial_lr": initial_lr,
            "max_lr": 0.0, "min_lr": 0.0, "base_momentum": 0.0, "max_momentum": 0.0,
        })
    };
    let expected = json!({
        "_last_lr": [0.25, 0.125],
        "param_groups": [memory(0.5), memory(0.25)],
        "scheduler": {
            "name": "ChainedScheduler",
            "_schedulers": [
                {"name": "StepLR", "last_epoch": 1, "base_lrs": [0.5, 0.25]},
                {"name": "ExponentialLR", "last_epoch": 1, "base_lrs": [0.5, 0.25]},
            ],
        },
    });
    assert_eq!(serde_json::to_value(scheduler.state()).unwrap(), expected);

    let mut plateau = LrScheduler::new(ReduceLrOnPlateau::default(), &mut groups).unwrap();
    plateau.step_with_metric(&mut groups, 0.75).unwrap();
    plateau.step_with_metric(&mut groups, 0.875).unwrap();
    let state = serde_json::to_value(plateau.state()).unwrap();
    let expected = json!({"best": 0.75, "num_bad_epochs": 1, "cooldown_counter": 0});
    assert_eq!((&state["scheduler"]["plateau"], &state["scheduler"]["last_epoch"]), (&expected, &json!(2)));
}

#[test]
fn state_keeps_an_infinite_best_metric() {
    for (mode, metrics, best) in [
        (PlateauMode::Min, &[][..], f64::INFINITY),
        (PlateauMode::Max, &[], f64::NEG_INFINITY),
        (PlateauMode::Min, &[f64::NEG_INFINITY], f64::NEG_INFINITY),
        (PlateauMode::Min, &[f64::NAN], f64::INFINITY),
    ] {
        let mut groups = Groups::without_momentum([0.5]);
        let mut plateau = LrScheduler::new(ReduceLrOnPlateau::default().mode(mode), &mut groups).unwrap();
        for metric in metrics {
            plateau.step_with_metric(&mut groups, *metric).unwrap();
        }
        let state = serde_json::to_value(plateau.state()).unwrap();
        assert_eq!(state["scheduler"]["plateau"]["best"], best.to_string());
        assert_eq!(written_and_read(&plateau.state()), plateau.state());
    }
}

#[test]
fn load_state_rejects_a_state_that_does_not_fit() {
    let chained = |second: Schedule| ChainedScheduler::new([StepLr::new(3).into(), second]);
    let mut groups = Groups::without_momentum([0.5]);
    let mut scheduler = LrScheduler::new(chained(ExponentialLr::new(0.5).into()), &mut groups).unwrap();
    scheduler.step(&mut groups).unwrap();
    let before = scheduler.state();
    let mut refusal = |other: Schedule| {
        let other = LrScheduler::new(other, &mut Groups::without_momentum([0.5])).unwrap();
        let error = scheduler.load_state(&other.state()).unwrap_err();
        assert_eq!(scheduler.state(), before);
        error.to_string()
    };
    assert_eq!(
        refusal(StepLr::new(3).into()),
        "the saved state does not fit ChainedScheduler: it has the state of StepLR in place of ChainedScheduler"
    );
    assert_eq!(
        refusal(chained(StepLr::new(3).into()).into()),
        "the saved state does not fit ChainedScheduler: it has the state of StepLR in place of ExponentialLR"
    );
    assert_eq!(
        refusal(ChainedScheduler::new([StepLr::new(3).into()]).into()),
        "the saved state does not fit ChainedScheduler: its ChainedScheduler has 1 schedulers instead of 2"
    );
    let mut written = serde_json::to_value(&before).unwrap();
    written["scheduler"]["_schedulers"][1]["base_lrs"] = json!([0.5, 0.5]);
    let damaged: LrSchedulerState = serde_json::from_value(written).unwrap();
    assert_eq!(
        scheduler.load_state(&damaged).unwrap_err().to_string(),
        "the saved state does not fit ChainedScheduler: ExponentialLR has 2 base_lrs for 1 param_groups"
    );
    assert_eq!(scheduler.state(), before);
}

#[test]
fn load_state_keeps_the_hyperparameters_of_the_schedule() {
    let mut groups = Groups::without_momentum([1.0]);
    let mut scheduler = LrScheduler::new(ExponentialLr::new(0.5), &mut groups).unwrap();
    scheduler.step(&mut groups).unwrap();
    let mut other = LrScheduler::new(ExponentialLr::new(0.25), &mut Groups::without_momentum([1.0])).unwrap();
    other.load_state(&scheduler.state()).unwrap();
    other.step(&mut groups).unwrap();
    assert_eq!(groups.lrs, [0.125]);
}
