//! Checkpoints of PyTorch Lightning, which this crate continues, and its own, which Lightning continues: compared with Lightning's run
//! without an interruption.
#![allow(missing_docs)]

mod model;
mod python;
mod refused;

use model::{Data, Hparams, Model, Outcome};
use python::{Prepared, in_python, prepared};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tch_lightning::checkpoint::Checkpoint;

/// The most that weights and losses may differ.
const TOLERANCE: f64 = 1e-5;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// The job of training in Python until six epochs are done.
fn rest(optimizer: &str, from: &Path) -> Value {
    json!({ "optimizer": optimizer, "epochs": 6, "from": from, "to": null })
}

#[test]
fn run_of_lightning_is_continued() {
    for Prepared { optimizer, whole, half, checkpoint } in prepared() {
        let folder = Folder::new();
        assert!(whole.distance(half) > 0.01, "{optimizer}");
        let ours = model::train(optimizer, 6, Some(checkpoint), &folder.path("ours"));
        ours.assert_is(whole, TOLERANCE, optimizer);
    }
}

#[test]
fn run_is_continued_by_lightning() {
    let folder = Folder::new();
    let exported = |optimizer: &str| folder.path(&format!("{optimizer}.ckpt"));
    for Prepared { optimizer, .. } in prepared() {
        model::train(optimizer, 3, None, &folder.path(optimizer));
        let ours = Checkpoint::read(&folder.path(optimizer).join("last.ckpt")).unwrap();
        ours.export_lightning(exported(optimizer)).unwrap();
    }
    let jobs = prepared().iter().map(|Prepared { optimizer, .. }| rest(optimizer, &exported(optimizer)));
    for (theirs, Prepared { optimizer, whole, .. }) in in_python(jobs.collect()).iter().zip(prepared()) {
        Outcome::of(theirs).assert_is(whole, TOLERANCE, optimizer);
    }
}

/// Three epochs there, two here, and one there.
#[test]
fn run_goes_there_and_back() {
    let folder = Folder::new();
    let Some(Prepared { optimizer, whole, checkpoint, .. }) = prepared().get(2) else { return };
    model::train(optimizer, 5, Some(checkpoint), &folder.path("ours"));
    let exported = folder.path("for_python.ckpt");
    let ours = Checkpoint::read(&folder.path("ours/last.ckpt")).unwrap();
    ours.export_lightning_like(&exported, checkpoint).unwrap();
    for theirs in in_python(vec![rest(optimizer, &exported)]) {
        Outcome::of(&theirs).assert_is(whole, TOLERANCE, optimizer);
    }
}

#[test]
fn exported_file_is_what_lightning_loads() {
    let folder = Folder::new();
    model::train("adamw", 2, None, &folder.path("ours"));
    let [ours, exported] = ["ours/last.ckpt", "for_python.ckpt"].map(|name| folder.path(name));
    assert!(Model::command(["export", ours.to_str().unwrap(), "--lightning", exported.to_str().unwrap()]));
    for printed in in_python(vec![json!({ "load": exported })]) {
        let stopping = "EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}";
        assert_eq!(printed, json!({ "optimizer": "adamw", "lr": 0.02, "stopping": stopping, "batches": 10 }));
    }
    // the file of this crate again
    let (ours, again) = (Checkpoint::read(&ours).unwrap(), Checkpoint::read(&exported).unwrap());
    assert_eq!(ours.metadata.global_step, again.metadata.global_step);
    let mut of_module = ours.tensors.iter().filter(|(name, _)| name.starts_with("module."));
    assert!(of_module.all(|(name, tensor)| *tensor == again.tensors[name]));
}

#[test]
fn evaluation_takes_the_weights_of_lightning() {
    let folder = Folder::new();
    let Some(Prepared { half, checkpoint, .. }) = prepared().first() else { return };
    assert!(Model::loaded(checkpoint).distance(half) == 0.0);
    let mut trainer = model::trainer(3, &folder.path("ours")).ckpt_path(checkpoint);
    let metrics = trainer.validate(&mut Model::new(Hparams::of("sgd")), &mut Data).unwrap();
    let loss = metrics["val_loss"];
    assert!((loss - half.last_val_loss).abs() < TOLERANCE, "{loss} {}", half.last_val_loss);
}
