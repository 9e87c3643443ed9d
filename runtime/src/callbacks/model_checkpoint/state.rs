//! What a `ModelCheckpoint` knows of its saves.

use super::best::Best;
use crate::any_path;
use crate::config::Stopwatch;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a checkpoint keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The folder that the files are in.
    #[serde(with = "any_path")]
    pub(super) dirpath: PathBuf,
    /// The metric that decides which checkpoints are best, as in Lightning's state.
    #[serde(default)]
    pub(super) monitor: Option<String>,
    pub(super) best: Best,
    #[serde(with = "any_path::option")]
    pub(super) best_model_path: Option<PathBuf>,
    pub(super) best_model_score: Option<f64>,
    #[serde(with = "any_path::option")]
    pub(super) last_model_path: Option<PathBuf>,
    /// Nothing is saved before the first step, nor twice at one.
    #[serde(default)]
    pub(super) last_global_step_saved: usize,
    /// The training batches begun until then, over all epochs.
    #[serde(default)]
    pub(super) last_batch_saved: usize,
    #[serde(default, with = "any_path::option")]
    pub(super) last_saved: Option<PathBuf>,
    /// The time since the last save that was due by time.
    #[serde(default)]
    pub(super) since_due: Duration,
    /// Whether a save waits for the metric that comes with the next validation.
    #[serde(default)]
    pub(super) is_deferred: bool,
}

impl State {
    /// With paths that mean the same in every working directory.
    pub(super) fn absolute(&self) -> Self {
        self.with_paths(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
    }

    /// With `folder` in the place of the one that the paths begin with: another path of the same folder.
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

/// What is known of the running run alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The folder of this run's checkpoints, once it has one.
    pub(super) folder: Option<PathBuf>,
    /// The checkpoint that the run began from: the file itself, whatever name led to it.
    pub(super) began_from: Option<PathBuf>,
    /// Save after so many batches.
    pub(super) batches: Option<usize>,
    pub(super) stopwatch: Stopwatch,
}

impl PartialEq for Run {
    /// Two callbacks of one configuration are equal, whatever runs they are in.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
