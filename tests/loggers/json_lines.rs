//! Rows and other records as lines of JSON.

use crate::model::{Model, config};
use serde_json::{Value, json};
use std::path::Path;
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::loggers::JsonLinesLogger;
use tch_lightning::prelude::*;

fn lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn steps_of(lines: &[Value], name: &str) -> Vec<u64> {
    let named = lines.iter().filter(|line| line["values"].get(name).is_some());
    named.map(|line| line["step"].as_u64().unwrap()).collect()
}

fn trainer(root: &Path) -> Trainer<Model> {
    let keeps_all = ModelCheckpoint::new().save_top_k(-1);
    Trainer::new(config(root)).logger(JsonLinesLogger::new(root.join("logs"))).callback(keeps_all)
}

#[test]
fn json_lines_have_every_row() {
    let root = tempfile::tempdir().unwrap();
    let mut trainer = trainer(root.path()).hyper_parameters(json!({ "lr": 0.01 }));
    trainer.fit(&mut Model::new(), ()).unwrap();
    let lines = lines(&root.path().join("logs"));
    assert_eq!(lines[0]["hyperparameters"], json!({ "lr": 0.01 }));
    assert_eq!(steps_of(&lines, "train_loss"), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(steps_of(&lines, "val_loss"), [3, 7]);
    let second = lines.iter().find(|line| line["step"] == 4 && line["values"].get("train_loss").is_some()).unwrap();
    assert_eq!(second["epoch"], 1);
    assert!(second["time"].as_f64().unwrap() > 1.7e9);
    let histogram = lines.iter().find_map(|line| line.get("histogram")).unwrap();
    assert_eq!(
        (&histogram["name"], &histogram["count"], &histogram["sum"]),
        (&json!("numbers"), &json!(4), &json!(3.5))
    );
    let checkpoints = lines.iter().filter(|line| line.get("checkpoint").is_some()).count();
    assert_eq!(checkpoints, 2);
}

#[test]
fn fast_run_leaves_loggers_alone() {
    let root = tempfile::tempdir().unwrap();
    let config = TrainerConfig { fast_dev_run: true.into(), ..config(root.path()) };
    let mut trainer = Trainer::new(config)
        .logger(JsonLinesLogger::new(root.path().join("logs")))
        .hyper_parameters(json!({ "lr": 0.01 }));
    trainer.fit(&mut Model::new(), ()).unwrap();
    let written: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(written, [""; 0]);
}

#[test]
fn json_lines_after_the_checkpoint_go_when_a_run_resumes() {
    let root = tempfile::tempdir().unwrap();
    let mut failing = Model::failing_at(6);
    trainer(root.path()).fit(&mut failing, ()).unwrap_err();
    let failed = lines(&root.path().join("logs"));
    assert_eq!(steps_of(&failed, "train_loss"), [0, 1, 2, 3, 4, 5]);
    let checkpoint = root.path().join("lightning_logs/version_0/checkpoints/epoch=0-step=4.ckpt");
    trainer(root.path()).ckpt_path(&checkpoint).fit(&mut Model::new(), ()).unwrap();
    let resumed = lines(&root.path().join("logs"));
    assert_eq!(steps_of(&resumed, "train_loss"), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(steps_of(&resumed, "val_loss"), [3, 7]);
    assert_eq!(resumed[..4], failed[..4]);
}
