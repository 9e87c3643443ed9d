use super::retention::Outdated;
use crate::paths;
use std::path::{Path, PathBuf};

/// A checkpoint that a hook asked for.
///
/// `on_save_checkpoint` is called when the hook returns, so that the states of all callbacks are kept, that of the one that asked
/// included. The file is written when the run is where it can go on from: within a batch, when its last hooks were called; in
/// validation, when it is over; at the end of an epoch, when its schedulers have stepped and its row is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct SaveRequest {
    pub(crate) path: PathBuf,
    pub(crate) weights_only: bool,
    pub(crate) link_to: Option<PathBuf>,
    pub(crate) then_remove: Vec<PathBuf>,
    pub(crate) score: Option<(String, f64)>,
}

impl SaveRequest {
    /// A whole checkpoint at `path`; a file that is there is replaced.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), weights_only: false, link_to: None, then_remove: Vec::new(), score: None }
    }

    /// A symbolic link at `path` to the checkpoint `target`, in place of another copy.
    pub fn link(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self { link_to: Some(target.into()), ..Self::new(path) }
    }

    /// Whether to keep the parameters and buffers alone, without what is needed to go on training.
    pub fn weights_only(self, weights_only: bool) -> Self {
        Self { weights_only, ..self }
    }

    /// A file to remove once the new one, and all that was asked for together with it, is written and verified.
    pub fn then_remove(mut self, path: impl Into<PathBuf>) -> Self {
        self.then_remove.push(path.into());
        self
    }

    /// Sets the metric that is monitored and its value, for the loggers' [`SavedCheckpoint`](crate::loggers::SavedCheckpoint).
    pub fn score(self, monitor: impl Into<String>, score: f64) -> Self {
        Self { score: Some((monitor.into(), score)), ..self }
    }

    /// What goes once all of these are done. What one of them writes is not outdated by it or by one before it.
    pub(crate) fn outdated<'a>(requests: impl Iterator<Item = &'a Self> + Clone) -> Vec<Outdated> {
        let outdated = requests.clone().enumerate().map(|(place, request)| {
            let is_written = |path: &PathBuf| requests.clone().skip(place).any(|later| later.is_at(path));
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
            request("/ck/a", &["/ck/old", "/ck/../ck/b", "/ck/./a"]),
            request("/ck/b", &["/ck/a"]),
            SaveRequest::link("/ck/last", "/ck/b"),
        ];
        let outdated = |newer: &str, older: &str| Outdated { newer: newer.into(), older: vec![older.into()] };
        assert_eq!(SaveRequest::outdated(requests.iter()), [outdated("/ck/a", "/ck/old"), outdated("/ck/b", "/ck/a")]);
    }
}
