//! Whole trainings against PyTorch's.

use crate::model::{Automatic, Linear, Manual, Stepping, config, loaders};
use crate::table::{TABLE, Training};
use tch_lightning::prelude::*;

/// How far from PyTorch's values ours may be: kernels may round a sum of the low precision to its other neighbour.
fn tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::Float64True => 1e-12,
        Precision::Float32True => 1e-6,
        Precision::BFloat16True => 4e-3,
        Precision::Float16True | Precision::BFloat16Mixed | Precision::Float16Mixed => 5e-4,
        other => panic!("a tolerance is needed for {other:?}"),
    }
}

fn distance(ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    pairs.fold(0.0, |distance, (one, other)| distance.max((one - other).abs()))
}

fn check(linear: &Linear) {
    let Training { precision, infinite_at, clip, points, scales } = linear.training;
    let distance = distance(&linear.points, points);
    assert!(distance <= tolerance(*precision), "{precision} {infinite_at:?} {clip:?}: {distance}");
    assert_eq!(&linear.scales, scales, "{precision} {infinite_at:?} {clip:?}");
}

#[test]
fn the_table_tells_the_precisions_apart() {
    let float32 = &TABLE.trainings[0];
    assert_eq!(float32.precision, Precision::Float32True);
    for training in &TABLE.trainings[1..] {
        assert!(distance(&training.points, &float32.points) > tolerance(training.precision), "{}", training.precision);
    }
}

#[test]
fn automatic_optimization_gives_pytorchs_numbers() {
    for training in &TABLE.trainings {
        let config = TrainerConfig { gradient_clip_val: training.clip, ..config(training.precision) };
        let mut module = Automatic(Linear::new(training));
        Trainer::new(config).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn a_hook_that_steps_by_itself_gives_them_too() {
    for training in &TABLE.trainings {
        let config = TrainerConfig { gradient_clip_val: training.clip, ..config(training.precision) };
        let mut module = Stepping(Linear::new(training));
        Trainer::new(config).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn manual_optimization_gives_them_too() {
    for training in &TABLE.trainings {
        let mut module = Manual(Linear::new(training));
        Trainer::new(config(training.precision)).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn a_training_goes_on_with_the_scale_that_it_had() {
    let training = TABLE.trainings.iter().find(|training| training.infinite_at == [1, 4]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.ckpt");
    let mut first = Automatic(Linear::new(training));
    let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(2), ..config(training.precision) });
    trainer.fit(&mut first, loaders()).unwrap();
    trainer.save_checkpoint(&mut first, loaders(), &path).unwrap();
    let saved = Checkpoint::read(&path).unwrap().metadata.grad_scaler.unwrap();
    assert_eq!((saved.scale, saved.growth_tracker), (training.scales[3], 2));

    let mut second = Automatic(Linear::new(training));
    Trainer::new(config(training.precision)).ckpt_path(&path).fit(&mut second, loaders()).unwrap();
    first.0.points.append(&mut second.0.points);
    first.0.scales.append(&mut second.0.scales);
    check(&first.0);
}
