//! Tests complete trainings against PyTorch.

use crate::model::{Automatic, Linear, Manual, Stepping, config, loaders};
use crate::table::{TABLE, Training};
use tch_lightning::prelude::*;

/// Returns the tolerance for values of PyTorch: kernels may round a sum differently in low precision.
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
fn table_distinguishes_the_precisions() {
    let float32 = &TABLE.trainings[0];
    assert_eq!(float32.precision, Precision::Float32True);
    for training in &TABLE.trainings[1..] {
        assert!(distance(&training.points, &float32.points) > tolerance(training.precision), "{}", training.precision);
    }
}

#[test]
fn automatic_optimization_matches_pytorch() {
    for training in &TABLE.trainings {
        let config = TrainerConfig { gradient_clip_val: training.clip, ..config(training.precision) };
        let mut module = Automatic(Linear::new(training));
        Trainer::new(config).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn overridden_optimizer_step_matches_pytorch() {
    for training in &TABLE.trainings {
        let config = TrainerConfig { gradient_clip_val: training.clip, ..config(training.precision) };
        let mut module = Stepping(Linear::new(training));
        Trainer::new(config).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn manual_optimization_matches_pytorch() {
    for training in &TABLE.trainings {
        let mut module = Manual(Linear::new(training));
        Trainer::new(config(training.precision)).fit(&mut module, loaders()).unwrap();
        check(&module.0);
    }
}

#[test]
fn resumed_training_continues_with_its_scale() {
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
