//! What W&B's own client uploads of a run.

use crate::model::{Model, config};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use tch_lightning::loggers::{CsvLogger, WandbLogger};
use tch_lightning::prelude::*;
use tests::python;

/// Returns what a server gets of a run from `wandb sync`; `None`, after printing the reason, if the client is not installed.
fn uploaded(run: &Path) -> Option<Value> {
    let named = env::var_os("TCH_LIGHTNING_WANDB").filter(|named| !named.is_empty()).map(PathBuf::from);
    let client = named.or_else(|| Some(python::cache()?.join("wandb/bin/python"))).filter(|python| python.exists());
    let Some(client) = client else {
        println!("skipped: W&B's client is not installed for the tests; `make wandb` installs it");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loggers/wandb_sync.py");
    let output = Command::new(client).arg(script).arg(run).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let uploaded: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(uploaded["status"], 0, "{uploaded}");
    Some(uploaded)
}

/// Returns the folder of the run, and whether the fit succeeded.
fn fit(root: &Path, module: &mut Model, checkpoint: Option<&Path>) -> (PathBuf, bool) {
    let wandb = WandbLogger::new().folder(root.join("runs")).project("digits").run_name("wide");
    let mut trainer = Trainer::new(config(root)).logger(wandb).logger(CsvLogger::default());
    trainer = trainer.hyper_parameters(json!({ "model": { "lr": 0.01, "name": "linear" } }));
    if let Some(checkpoint) = checkpoint {
        trainer = trainer.ckpt_path(checkpoint);
    }
    let succeeded = trainer.fit(module, ()).is_ok();
    (trainer.context().find_logger::<WandbLogger>().unwrap().run_dir().unwrap().to_owned(), succeeded)
}

/// The steps and values of a metric.
fn history(uploaded: &Value, metric: &str) -> Vec<(u64, Value)> {
    let rows = uploaded["history"].as_array().unwrap();
    let with_metric = rows.iter().filter(|row| row.get(metric).is_some());
    with_metric.map(|row| (row["trainer/global_step"].as_u64().unwrap(), row[metric].clone())).collect()
}

#[test]
fn wandb_sync_uploads_what_was_logged() {
    let root = tempfile::tempdir().unwrap();
    let (run, succeeded) = fit(root.path(), &mut Model::new(), None);
    assert!(succeeded);
    assert!(run.starts_with(root.path().join("runs")));
    let Some(uploaded) = uploaded(&run) else { return };
    let id = run.file_name().unwrap().to_str().unwrap().rsplit('-').next().unwrap();
    assert_eq!(uploaded["run"], json!({ "name": id, "project": "digits", "displayName": "wide", "entity": "someone" }));
    assert_eq!(uploaded["config"]["model"], json!({ "lr": 0.01, "name": "linear" }));
    assert_eq!(uploaded["ends"], json!([0]));

    let losses = history(&uploaded, "train_loss");
    let csv = fs::read_to_string(root.path().join("lightning_logs/version_0/metrics.csv")).unwrap();
    let mut lines = csv.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "train_loss").unwrap();
    let logged = lines.map(|line| line.split(',').nth(column).unwrap()).filter(|value| !value.is_empty());
    let logged: Vec<f64> = logged.map(|value| value.parse().unwrap()).collect();
    assert_eq!(losses.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(losses.iter().map(|(_, value)| value.as_f64().unwrap()).collect::<Vec<_>>(), logged);
    assert_eq!(history(&uploaded, "val_loss").len(), 2);
    assert_eq!(uploaded["summary"]["train_loss"], losses[7].1);
    assert_eq!(uploaded["summary"]["epoch"], 1);

    // -1, 0.5, 2 and 2
    let numbers = &history(&uploaded, "numbers")[0].1;
    let counts = numbers["values"].as_array().unwrap();
    let edges = numbers["bins"].as_array().unwrap();
    assert_eq!(numbers["_type"], "histogram");
    assert_eq!(counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 4);
    assert_eq!(counts.last().unwrap(), 2);
    assert_eq!(edges.len(), counts.len() + 1);
    assert!(edges[0].as_f64().unwrap() <= -1.0 && edges.last().unwrap().as_f64().unwrap() > 2.0, "{edges:?}");

    let digit = &history(&uploaded, "pictures/digit")[0].1;
    assert_eq!((&digit["_type"], &digit["width"], &digit["height"]), (&json!("image-file"), &json!(3), &json!(2)));
    let (words, mistakes, curve) = ("words", "mistakes", "curve");
    for (name, kind) in [(words, "table-file"), (mistakes, "table-file"), (curve, "html-file")] {
        let found = history(&uploaded, name);
        assert_eq!(
            found.iter().map(|(step, value)| (*step, value["_type"].as_str().unwrap())).collect::<Vec<_>>(),
            [(3, kind), (7, kind)]
        );
        let path = found[0].1["path"].as_str().unwrap();
        let file = json!([path, found[0].1["size"]]);
        assert!(uploaded["files"].as_array().unwrap().contains(&file), "{file} is not in {}", uploaded["files"]);
    }
    let path = history(&uploaded, mistakes)[0].1["path"].as_str().unwrap().to_owned();
    let table: Value = serde_json::from_slice(&fs::read(run.join("files").join(path)).unwrap()).unwrap();
    assert_eq!(table, json!({ "columns": ["digit", "prediction"], "data": [["seven", 4.5]] }));
}

#[test]
fn resumed_run_continues_the_wandb_run() {
    let root = tempfile::tempdir().unwrap();
    let (failed, succeeded) = fit(root.path(), &mut Model::failing_at(6), None);
    assert!(!succeeded);
    if let Some(uploaded) = uploaded(&failed) {
        assert_eq!(uploaded["ends"], json!([1]));
        assert_eq!(history(&uploaded, "train_loss").len(), 6);
    }
    let checkpoint = root.path().join("lightning_logs/version_0/checkpoints/epoch=0-step=4.ckpt");
    let (resumed, _) = fit(root.path(), &mut Model::new(), Some(&checkpoint));
    assert_eq!(resumed, failed);
    let Some(uploaded) = uploaded(&resumed) else { return };
    assert_eq!(uploaded["ends"], json!([0]));
    let steps: Vec<u64> = history(&uploaded, "train_loss").iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [0, 1, 2, 3, 4, 5, 6, 7]);
    let rows = uploaded["history"].as_array().unwrap();
    let numbers: Vec<u64> = rows.iter().map(|row| row["_step"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..rows.len() as u64).collect::<Vec<_>>());
}

#[test]
fn validation_after_a_fit_is_in_the_same_wandb_run() {
    let root = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config(root.path())).logger(WandbLogger::new());
    let mut model = Model::new();
    trainer.fit(&mut model, ()).unwrap();
    trainer.validate(&mut model, ()).unwrap();
    let run = trainer.context().find_logger::<WandbLogger>().unwrap().run_dir().unwrap().to_owned();
    assert_eq!(run.parent(), Some(root.path().join("lightning_logs/version_0/wandb").as_path()));
    let Some(uploaded) = uploaded(&run) else { return };
    assert_eq!(uploaded["ends"], json!([0]));
    assert_eq!(uploaded["run"]["project"], "lightning_logs");
    let steps: Vec<u64> = history(&uploaded, "val_loss").iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [3, 7, 8]);
}
