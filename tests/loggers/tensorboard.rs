//! What TensorBoard's own reader reads.

use crate::model::{Model, config};
use serde_json::{Value, json};
use std::path::Path;
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::loggers::TensorBoardLogger;
use tch_lightning::prelude::*;
use tests::python;

/// Returns what events.py prints of a folder; `None` where there is no Python to run it.
fn read(folder: &Path) -> Option<Value> {
    let printed = python::run("loggers/events.py", [folder])?;
    Some(serde_json::from_str(&printed).unwrap())
}

fn steps(values: &Value) -> Vec<i64> {
    let of = |value: &Value| value.get("step").unwrap_or(&value[0]).as_i64().unwrap();
    values.as_array().unwrap().iter().map(of).collect()
}

fn trainer(root: &Path, logger: TensorBoardLogger) -> Trainer<Model> {
    let keeps_all = ModelCheckpoint::new().save_top_k(-1);
    Trainer::new(config(root)).logger(logger).callback(keeps_all)
}

#[test]
fn tensorboard_reads_every_kind_of_record() {
    let root = tempfile::tempdir().unwrap();
    let hparams = json!({ "model": { "lr": 0.01, "name": "linear", "deep": false }, "layers": [1, 2] });
    let mut trainer = trainer(root.path(), TensorBoardLogger::default()).hyper_parameters(hparams);
    trainer.fit(&mut Model::new(), ()).unwrap();
    let Some(read) = read(&root.path().join("lightning_logs/version_0")) else { return };

    let losses = &read["scalars"]["train_loss"];
    assert_eq!(steps(losses), [0, 1, 2, 3, 4, 5, 6, 7]);
    // the same batch, an epoch later
    assert!(losses[7][1].as_f64().unwrap() < losses[3][1].as_f64().unwrap());
    assert_eq!(read["scalars"]["val_loss"].as_array().unwrap().len(), 2);

    let histogram = &read["histograms"]["numbers"][1];
    let field = |name: &str| histogram[name].as_f64().unwrap();
    // twice the values -1, 0.5, 2 and 2
    assert_eq!(["step", "min", "max", "num", "sum", "sum_squares"].map(field), [1.0, -2.0, 4.0, 4.0, 7.0, 37.0]);
    let [limits, counts] =
        ["limits", "counts"].map(|name| serde_json::from_value::<Vec<f64>>(histogram[name].clone()).unwrap());
    assert_eq!(limits.len(), counts.len());
    let within = |low: f64, high: f64| {
        let buckets = limits.iter().zip(&counts).filter(|(limit, _)| low < **limit && **limit <= high);
        buckets.map(|(_, count)| count).sum::<f64>()
    };
    assert_eq!([within(-2.3, -1.7), within(0.9, 1.2), within(3.8, 4.6), within(-1e9, 1e9)], [1.0, 1.0, 2.0, 4.0]);

    let pictures = &read["images"]["pictures/digit"];
    assert_eq!(steps(pictures).len(), 2);
    assert_eq!(
        [&pictures[0]["width"], &pictures[0]["height"], &pictures[0]["png"]],
        [&json!(3), &json!(2), &json!("89504e470d0a1a0a")]
    );
    // two pictures of 3 by 2 pixels, with 2 pixels around each
    assert_eq!([&read["images"]["pictures/all"][0]["width"], &read["images"]["pictures/all"][0]["height"]], [12, 6]);
    assert_eq!(read["texts"]["words/text_summary"][1][1], "epoch *1*");

    let hparams = json!({ "model/lr": 0.01, "model/name": "linear", "model/deep": false, "layers": "[1,2]" });
    assert_eq!(read["hparams"], json!({ "values": hparams, "status": 1 }));
}

#[test]
fn resumed_run_purges_what_came_after_its_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let logs = root.path().join("logs");
    let mut failing = Model::failing_at(6);
    trainer(root.path(), TensorBoardLogger::new(&logs)).fit(&mut failing, ()).unwrap_err();
    let Some(failed) = read(&logs) else { return };
    assert_eq!(steps(&failed["scalars"]["train_loss"]), [0, 1, 2, 3, 4, 5]);
    assert_eq!(steps(&failed["scalars"]["val_loss"]), [3]);

    let checkpoint = root.path().join("lightning_logs/version_0/checkpoints/epoch=0-step=4.ckpt");
    trainer(root.path(), TensorBoardLogger::new(&logs)).ckpt_path(&checkpoint).fit(&mut Model::new(), ()).unwrap();
    let resumed = read(&logs).unwrap();
    for (name, expected) in [("train_loss", (0..8).collect::<Vec<i64>>()), ("val_loss", vec![3, 7])] {
        assert_eq!(steps(&resumed["scalars"][name]), expected, "{name}");
    }
    assert_eq!(steps(&resumed["histograms"]["numbers"]), (0..8).collect::<Vec<i64>>());
    // what was logged before the checkpoint is what the failed run logged
    assert_eq!(
        resumed["scalars"]["train_loss"].as_array().unwrap()[..4],
        failed["scalars"]["train_loss"].as_array().unwrap()[..4]
    );

    // from the same checkpoint once more
    trainer(root.path(), TensorBoardLogger::new(&logs)).ckpt_path(&checkpoint).fit(&mut Model::new(), ()).unwrap();
    let again = read(&logs).unwrap();
    assert_eq!(steps(&again["scalars"]["train_loss"]), (0..8).collect::<Vec<i64>>());
    assert_eq!(again["scalars"]["train_loss"], resumed["scalars"]["train_loss"]);
}

#[test]
fn fit_replaces_the_events_of_the_folder_and_a_test_adds_to_them() {
    let root = tempfile::tempdir().unwrap();
    let logs = root.path().join("logs");
    for _ in 0..2 {
        trainer(root.path(), TensorBoardLogger::new(&logs)).fit(&mut Model::new(), ()).unwrap();
    }
    trainer(root.path(), TensorBoardLogger::new(&logs)).validate(&mut Model::new(), ()).unwrap();
    let Some(read) = read(&logs) else { return };
    assert_eq!(steps(&read["scalars"]["train_loss"]), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(steps(&read["scalars"]["val_loss"]), [3, 7, 0]);
}
