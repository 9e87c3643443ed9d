use super::KEY;
use super::state::State;
use crate::json;
use crate::paths;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The best checkpoint of a run, as recorded in another checkpoint of the run.
pub(crate) struct SavedBest {
    pub(crate) path: PathBuf,
    pub(crate) monitor: Option<String>,
    /// The value of the metric; `None` if none is monitored.
    pub(crate) score: Option<f64>,
}

impl SavedBest {
    /// Returns the best checkpoint of each `ModelCheckpoint` whose state is in `callbacks`, the callback states of `checkpoint`; those
    /// that monitor a metric come first.
    pub(crate) fn all_in(checkpoint: &Path, callbacks: &BTreeMap<String, Value>) -> Vec<Self> {
        let states = callbacks.iter().filter(|(key, _)| key.starts_with(KEY));
        let states: Vec<State> = states.filter_map(|(_, state)| json::from_value(state).ok()).collect();
        let moved = Moved::of(checkpoint, &states);
        let best = |state: &State| {
            let path = moved.path(state.best_model_path.as_deref()?);
            Some(Self { path, monitor: state.monitor.clone(), score: state.best_model_score })
        };
        let mut bests: Vec<Self> = states.iter().filter_map(best).collect();
        bests.sort_by_key(|best| best.score.is_none());
        bests
    }
}

/// Where the folder of a run was moved or copied after its checkpoint was written.
struct Moved {
    /// The recorded path of the folder.
    from: PathBuf,
    /// Its current path.
    to: PathBuf,
}

impl Moved {
    fn of(checkpoint: &Path, states: &[State]) -> Self {
        let parent = checkpoint.parent().unwrap_or(Path::new(""));
        if let Some(state) = states.iter().find(|state| paths::is_same(&state.dirpath, parent)) {
            return Self { from: state.dirpath.clone(), to: parent.to_owned() };
        }
        let unmoved = Self { from: PathBuf::new(), to: PathBuf::new() };
        // the state of the callback that wrote the checkpoint contains its former path
        let wrote = |state: &&State| {
            let written = [&state.last_saved, &state.last_model_path].into_iter().flatten();
            written.into_iter().any(|path| path.file_name() == checkpoint.file_name())
        };
        let Some(writer) = states.iter().find(wrote).filter(|state| state.dirpath.is_absolute()) else {
            return unmoved;
        };
        let (mut from, mut to) = (writer.dirpath.clone(), paths::resolved(parent));
        // the moved folder is the lowest one whose name, or whose parent, differs
        while from.file_name().is_some() && from.file_name() == to.file_name() {
            from.pop();
            to.pop();
        }
        Self { from, to }
    }

    /// Returns the current path of a file.
    fn path(&self, recorded: &Path) -> PathBuf {
        let moved = recorded.strip_prefix(&self.from).ok().map(|rest| self.to.join(rest));
        moved.filter(|moved| moved.exists()).unwrap_or_else(|| recorded.to_owned())
    }
}
