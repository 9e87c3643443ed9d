//! The runs in Python, several in one process, whose start takes longer than they do.

use crate::model::Outcome;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::OnceLock;
use tests::python;

/// Returns what lightning.py prints for each job; nothing if there is no Python.
pub fn in_python(jobs: Vec<Value>) -> Vec<Value> {
    let printed = python::run("lightning_checkpoints/lightning.py", [Value::from(jobs).to_string()]);
    let printed = printed.unwrap_or_default();
    printed.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What Lightning has come to with an optimizer.
pub struct Prepared {
    pub optimizer: &'static str,
    /// After six epochs without an interruption.
    pub whole: Outcome,
    /// After three.
    pub half: Outcome,
    /// The checkpoint after three.
    pub checkpoint: PathBuf,
}

/// Returns the runs with each optimizer; none if there is no Python.
pub fn prepared() -> &'static [Prepared] {
    static PREPARED: OnceLock<Vec<Prepared>> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        let checkpoint = |optimizer: &str| folder.join(format!("{optimizer}.ckpt"));
        let optimizers = ["sgd", "adamw", "groups", "plateau", "adafactor"];
        let jobs = optimizers.iter().flat_map(|optimizer| {
            let half = json!({ "optimizer": optimizer, "epochs": 3, "from": null, "to": checkpoint(optimizer) });
            [json!({ "optimizer": optimizer, "epochs": 6, "from": null, "to": null }), half]
        });
        let printed = in_python(jobs.collect());
        let outcomes = optimizers.into_iter().zip(printed.as_chunks::<2>().0);
        let prepared = outcomes.map(|(optimizer, [whole, half])| Prepared {
            optimizer,
            whole: Outcome::of(whole),
            half: Outcome::of(half),
            checkpoint: checkpoint(optimizer),
        });
        prepared.collect()
    })
}
