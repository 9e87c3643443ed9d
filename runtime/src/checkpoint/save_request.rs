use super::retention::Outdated;
use crate::paths;
use std::path::{Path, PathBuf};

/// A checkpoint requested by a hook.
///
/// `on_save_checkpoint` is called after the hook returns, so that the states of all callbacks are saved, including that of the
/// callback that requested it. The file is written at the next point from which training can resume: within a batch, after its last
/// hooks; in validation, after its end; at the end of an epoch, after its schedulers have stepped and its row is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct SaveRequest {
    pub(crate) path: PathBuf,
    pub(crate) weights_only: bool,
    pub(crate) save_frozen: bool,
    pub(crate) link_to: Option<PathBuf>,
    pub(crate) then_remove: Vec<PathBuf>,
    pub(crate) score: Option<(String, f64)>,
}

impl SaveRequest {
    /// A complete checkpoint at `path`. An existing file is replaced.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            weights_only: false,
            save_frozen: true,
            link_to: None,
            then_remove: Vec::new(),
            score: None,
        }
    }

    /// A symbolic link at `path` to the checkpoint `target`, in place of another copy.
    pub fn link(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self { link_to: Some(target.into()), ..Self::new(path) }
    }

    /// Whether to save only parameters and buffers, without the state that is needed to resume training.
    pub fn weights_only(self, weights_only: bool) -> Self {
        Self { weights_only, ..self }
    }

    /// Whether to save parameters that are frozen and in no optimizer, which is the default. Without them, the checkpoint has their
    /// checksum, and is loaded into a module that has the same values, such as those of a file of pretrained weights.
    pub fn save_frozen(self, save_frozen: bool) -> Self {
        Self { save_frozen, ..self }
    }

    /// A file to remove after the new one and all others requested together with it are written and verified.
    pub fn then_remove(mut self, path: impl Into<PathBuf>) -> Self {
        self.then_remove.push(path.into());
        self
    }

    /// Sets the metric that is monitored and its value, for the loggers' [`SavedCheckpoint`](crate::loggers::SavedCheckpoint).
    pub fn score(self, monitor: impl Into<String>, score: f64) -> Self {
        Self { score: Some((monitor.into(), score)), ..self }
    }

    /// Returns the files to remove after all of these requests. A file is not removed if the request itself or a later one writes it.
    pub(crate) fn outdated(requests: &[&Self]) -> Vec<Outdated> {
        let outdated = requests.iter().enumerate().map(|(index, request)| {
            let is_written = |path: &PathBuf| requests.iter().skip(index).any(|later| later.is_at(path));
            let older = request.then_remove.iter().filter(|path| !is_written(path)).cloned().collect();
            Outdated { newer: request.path.clone(), older }
        });
        outdated.filter(|outdated| !outdated.older.is_empty()).collect()
    }

    /// Whether the request is for the file that is at `path`, or is to be.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        paths::entry(&self.path) == paths::entry(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_writes_are_not_outdated() {
        let request = |path: &str, older: &[&str]| {
            older.iter().fold(SaveRequest::new(path), |request, path| request.then_remove(*path))
        };
        let requests = [
            &request("/ck/a", &["/ck/old", "/ck/../ck/b", "/ck/./a"]),
            &request("/ck/b", &["/ck/a"]),
            &SaveRequest::link("/ck/last", "/ck/b"),
        ];
        let outdated = |newer: &str, older: &str| Outdated { newer: newer.into(), older: vec![older.into()] };
        assert_eq!(SaveRequest::outdated(&requests), [outdated("/ck/a", "/ck/old"), outdated("/ck/b", "/ck/a")]);
    }
}
