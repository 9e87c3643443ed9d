//! The state of a `ModelCheckpoint`.

use super::super::monitor::MonitorMode;
use super::best::Best;
use crate::config::Stopwatch;
use crate::json;
use crate::json_path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The state that checkpoints contain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The folder of the files.
    #[serde(with = "json_path")]
    pub(super) dirpath: PathBuf,
    /// The metric by which checkpoints are ranked, as in Lightning's state.
    #[serde(default)]
    pub(super) monitor: Option<String>,
    pub(super) best: Best,
    #[serde(with = "json_path::option")]
    pub(super) best_model_path: Option<PathBuf>,
    pub(super) best_model_score: Option<f64>,
    #[serde(with = "json_path::option")]
    pub(super) last_model_path: Option<PathBuf>,
    /// The optimizer steps at the last save; no step is saved twice, and none before the first.
    #[serde(default)]
    pub(super) last_global_step_saved: usize,
    /// The training batches begun by the last save, over all epochs.
    #[serde(default)]
    pub(super) last_batch_saved: usize,
    #[serde(default, with = "json_path::option")]
    pub(super) last_saved: Option<PathBuf>,
    /// The time since `train_time_interval` last elapsed.
    #[serde(default)]
    pub(super) since_due: Duration,
    /// Whether a save is deferred to the next validation, which logs its metric.
    #[serde(default)]
    pub(super) is_deferred: bool,
    /// For Lightning, which knows the callback by this key.
    #[serde(default)]
    pub(super) mode: MonitorMode,
    #[serde(default)]
    pub(super) lightning_key: String,
}

// These are not generic, unlike the implementation of `Callback<M>`: they are compiled once, in this crate, instead of in each program.
impl State {
    pub(super) fn to_json(&self) -> serde_json::Result<Value> {
        json::to_value(self)
    }

    pub(super) fn from_json(saved: &Value) -> serde_json::Result<Self> {
        json::from_value(saved)
    }

    /// Returns the state with absolute paths, which do not depend on the working directory.
    pub(super) fn absolute(&self) -> Self {
        self.with_paths(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
    }

    /// Returns the state with `folder`, another path of the same folder, as the beginning of its paths.
    pub(super) fn within(&self, folder: &Path) -> Self {
        self.with_paths(|path| match path.strip_prefix(&self.dirpath) {
            Ok(rest) if rest.as_os_str().is_empty() => folder.to_owned(),
            Ok(rest) => folder.join(rest),
            Err(_) => path.to_owned(),
        })
    }

    fn with_paths(&self, change: impl Fn(&Path) -> PathBuf) -> Self {
        let mut state = self.clone();
        let others =
            [&mut state.best_model_path, &mut state.last_model_path, &mut state.last_saved].into_iter().flatten();
        for path in others.chain(state.best.paths_mut()) {
            *path = change(path);
        }
        state.dirpath = change(&state.dirpath);
        state
    }
}

/// The state of the current run, which checkpoints do not contain.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The folder of this run's checkpoints; `None` until it is claimed.
    pub(super) folder: Option<PathBuf>,
    /// The file of the checkpoint that the run started from, with links resolved.
    pub(super) began_from: Option<PathBuf>,
    /// The number of batches between two saves.
    pub(super) batches: Option<usize>,
    pub(super) stopwatch: Stopwatch,
}

impl PartialEq for Run {
    /// Always true, so that callbacks of the same configuration are equal in any run.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
