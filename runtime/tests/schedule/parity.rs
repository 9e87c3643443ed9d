use tch::{Device, Kind, Tensor};
use tch_lightning::optim::{AdamW, Optimizer};
use tch_lightning::schedule::{LrScheduler, MultiStepLr, OneCycleLr};

use crate::table::{CASES, Groups, UNTOUCHED_MOMENTUM};

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{what}: {found} where PyTorch has {expected}");
}

#[test]
fn rates_and_momenta_agree_with_pytorch() {
    assert_eq!(CASES.len(), 73);
    for case in CASES.iter() {
        let mut groups = case.groups();
        let mut scheduler = LrScheduler::new(case.schedule(), &mut groups).unwrap();
        let (mut lrs, mut momenta) = (vec![groups.lrs.clone()], vec![groups.momenta.clone().unwrap()]);
        for step in 0..case.steps() {
            case.step(step, &mut scheduler, &mut groups).unwrap();
            assert_eq!(scheduler.last_lr(), groups.lrs);
            lrs.push(groups.lrs.clone());
            momenta.push(groups.momenta.clone().unwrap());
        }
        assert_followed(&lrs, &case.rates(), &format!("{}, rate", case.name));
        match case.momenta() {
            Some(expected) => assert_followed(&momenta, &expected, &format!("{}, momentum", case.name)),
            None => assert!(momenta.iter().flatten().all(|momentum| *momentum == UNTOUCHED_MOMENTUM)),
        }
    }
}

/// Compares the values after each step with the expected values of each group since it was added.
fn assert_followed(found: &[Vec<f64>], expected: &[Vec<f64>], what: &str) {
    for (group, expected) in expected.iter().enumerate() {
        let found: Vec<f64> = found.iter().filter_map(|groups| groups.get(group)).copied().collect();
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert_close(*found, *expected, &format!("{what} of group {group}, step {step}"));
        }
    }
}

/// PyTorch divides by the length of the rise, which is 0 here.
#[test]
fn one_cycle_with_a_rise_of_one_step_is_at_its_peak_at_once() {
    let mut groups = Groups { lrs: vec![0.1], momenta: Some(vec![0.9]) };
    let mut scheduler = LrScheduler::new(OneCycleLr::new(1.0).total_steps(10).pct_start(0.1), &mut groups).unwrap();
    assert_eq!((groups.lrs[0], groups.momenta.as_ref().unwrap()[0]), (1.0, 0.85));
    for _ in 0..9 {
        scheduler.step(&mut groups).unwrap();
    }
    assert_close(groups.lrs[0], 1.0 / 25.0 / 1e4, "the last rate");
    assert_close(groups.momenta.unwrap()[0], 0.95, "the last momentum");
}

#[test]
fn scheduler_sets_the_rate_of_an_optimizer() {
    let weight = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let mut optimizer = Optimizer::new(AdamW::new(0.5), vec![("weight".to_owned(), weight)]).unwrap();
    let mut scheduler = LrScheduler::new(MultiStepLr::new([1, 3]).gamma(0.5), &mut optimizer).unwrap();
    let mut rates = vec![optimizer.lr()];
    for _ in 0..3 {
        scheduler.step(&mut optimizer).unwrap();
        rates.push(optimizer.lr());
    }
    assert_eq!(rates, [0.5, 0.25, 0.25, 0.125]);
    assert_eq!(scheduler.last_lr(), [0.125]);
}
