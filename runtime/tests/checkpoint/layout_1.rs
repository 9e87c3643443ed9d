//! A checkpoint of layout 1, which did not have checksums: see the README in this folder.

use crate::model::{Small, config, evaluation, inputs, targets, training};
use std::path::{Path, PathBuf};
use tch_lightning::prelude::*;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoint/layout-1.ckpt")
}

fn trainer() -> Trainer<Small> {
    Trainer::new(config()).ckpt_path(path())
}

/// Returns the outputs of a module with the fixture's weights.
fn expected() -> Tensor {
    let tensors = Checkpoint::read(&path()).unwrap().tensors;
    let of = |name: &str| &tensors[&format!("module.{name}")];
    let normal = (inputs() - of("norm.running_mean")) / (of("norm.running_var") + 1e-5).sqrt();
    (normal * of("norm.weight") + of("norm.bias")).matmul(&of("layer.weight").tr()) + of("layer.bias")
}

fn distance(one: &Tensor, other: &Tensor) -> f64 {
    (one - other).abs().max().double_value(&[])
}

#[test]
fn layout_1_is_read() {
    Checkpoint::verify(&path()).unwrap();
    let read = Checkpoint::read(&path()).unwrap();
    assert_eq!((read.metadata.layout, read.metadata.epoch, read.metadata.global_step), (1, 2, 4));
    let names = ["layer.bias", "layer.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.weight"];
    let found: Vec<&str> = read.tensors.keys().filter_map(|name| name.strip_prefix("module.")).collect();
    assert_eq!(found, names);
    // the values printed when the fixture was written
    let printed = Tensor::from_slice2(&[[0.4568f32, -1.9644]]);
    assert!(distance(&read.tensors["module.layer.weight"], &printed) < 1e-4);
    let printed = Tensor::from_slice(&[0.5339f32, 0.1991]);
    assert!(distance(&read.tensors["module.norm.running_mean"], &printed) < 1e-4);
    assert!(read.tensors.contains_key("optimizer.0.layer.weight.exp_avg"));
}

#[test]
fn layout_1_is_validated_tested_and_used_for_predictions() {
    let loss = expected().mse_loss(&targets(), tch::Reduction::Mean).double_value(&[]);
    let metrics = trainer().validate(&mut Small::new(), evaluation()).unwrap();
    assert!((metrics["val_loss"] - loss).abs() < 1e-6, "{metrics:?} {loss}");
    let metrics = trainer().test(&mut Small::new(), evaluation()).unwrap();
    assert!((metrics["test_loss"] - loss).abs() < 1e-6, "{metrics:?} {loss}");
    let batches = trainer().predict(&mut Small::new(), evaluation()).unwrap();
    assert!(distance(&Tensor::cat(&batches, 0), &expected()) < 1e-6);
}

#[test]
fn layout_1_is_rewritten_in_the_current_layout() {
    let bytes = Checkpoint::read(&path()).unwrap().to_bytes().unwrap();
    assert_eq!(Checkpoint::from_bytes(&bytes).unwrap().metadata.layout, 2);
}

#[test]
fn layout_1_resumes_after_its_last_epoch() {
    let config = TrainerConfig { max_epochs: Some(3), ..config() };
    let mut trainer = Trainer::new(config).ckpt_path(path());
    trainer.fit(&mut Small::new(), training()).unwrap();
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (3, 6));
}
