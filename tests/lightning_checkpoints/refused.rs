//! Files that are refused, each by one sentence.

use crate::model::{self, Data, Hparams, Model, trainer};
use crate::{Folder, in_python, prepared};
use serde_json::json;
use std::fs;
use std::path::Path;
use tch_lightning::checkpoint::Checkpoint;

fn refusal(optimizer: &str, path: &Path) -> String {
    let folder = Folder::new();
    let mut trainer = trainer(6, &folder.path("ours")).ckpt_path(path);
    let error = trainer.fit(&mut Model::new(Hparams::of(optimizer)), &mut Data).unwrap_err();
    error.to_string().replace(&path.display().to_string(), "FILE")
}

#[test]
fn other_optimizers_are_refused() {
    let [sgd, _, groups, ..] = prepared() else { return };
    let (sgd, groups) = (&sgd.checkpoint, &groups.checkpoint);
    for (optimizer, path, expected) in [
        ("adamw", sgd, "its optimizer 0 has in its parameter group 0 no `amsgrad`, which the run's AdamW has"),
        ("groups", sgd, "its optimizer 0 has 1 parameter group, but the run's has 2"),
        ("adamw", groups, "its optimizer 0 has 2 parameter groups, but the run's has 1"),
        ("plateau", sgd, "it has 0 learning-rate schedulers, but this run has 1"),
    ] {
        assert_eq!(refusal(optimizer, path), format!("the checkpoint FILE does not fit this run: {expected}"));
    }
}

/// PyTorch keeps the history of L-BFGS in another form, which neither side would read.
#[test]
fn states_of_lbfgs_are_refused_both_ways() {
    let folder = Folder::new();
    model::train("lbfgs", 1, None, &folder.path("ours"));
    let ours = Checkpoint::read(&folder.path("ours/last.ckpt")).unwrap();
    let exported = folder.path("for_python.ckpt");
    assert_eq!(
        ours.export_lightning(&exported).unwrap_err().to_string(),
        format!(
            "cannot write {} for Lightning: the state of L-BFGS has another form in PyTorch; write the weights alone, with `--weights`",
            exported.display()
        )
    );
    assert!(!exported.exists());
    let theirs = folder.path("theirs.ckpt");
    in_python(vec![json!({ "optimizer": "lbfgs", "epochs": 1, "from": null, "to": theirs })]);
    if theirs.exists() {
        let expected = "its optimizer 0 is L-BFGS, whose state has another form in PyTorch: take the weights alone, by `--resume weights`";
        assert_eq!(refusal("lbfgs", &theirs), format!("the checkpoint FILE does not fit this run: {expected}"));
    }
}

/// Cut at many lengths, and with a byte changed at many places: never a panic, and never an answer of half of the file.
#[test]
fn damaged_files_are_refused() {
    let folder = Folder::new();
    let Some(prepared) = prepared().get(1) else { return };
    let bytes = fs::read(&prepared.checkpoint).unwrap();
    let damaged = folder.path("damaged.ckpt");
    for length in (16..bytes.len() - 1).step_by(bytes.len() / 60) {
        fs::write(&damaged, &bytes[..length]).unwrap();
        let said = Checkpoint::read(&damaged).unwrap_err().to_string();
        assert!(said.contains("damaged.ckpt"), "{length}: {said}");
    }
    for place in (0..bytes.len()).step_by(bytes.len() / 400) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x55;
        fs::write(&damaged, &changed).unwrap();
        // a byte between the records changes nothing
        if let Err(error) = Checkpoint::read(&damaged) {
            assert!(error.to_string().contains("damaged.ckpt"), "{place}: {error}");
        }
    }
}

#[test]
fn other_files_of_torch_save_are_refused() {
    let folder = Folder::new();
    let path = folder.path("weights.pth");
    in_python(vec![json!({ "weights": path })]);
    if !path.exists() {
        return;
    }
    let said = Checkpoint::read(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE");
    assert_eq!(
        said,
        "FILE is a file of `torch.save`, but not a checkpoint of PyTorch Lightning, so that a run cannot resume from it: load its \
         weights into the module with `weights::open`, and start a new training"
    );
}
