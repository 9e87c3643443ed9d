//! The ranking of the checkpoints to keep.

use super::super::monitor::MonitorMode;
use crate::{json_float, json_path};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The kept checkpoints with their scores, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    kept: Vec<Kept>,
}

/// A checkpoint and its score. NaN is stored as the worst score, an infinity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept(#[serde(with = "json_path")] pub(super) PathBuf, #[serde(with = "json_float")] pub(super) f64);

impl Best {
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.kept.iter_mut().map(|Kept(path, _)| path)
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether a checkpoint with this score is one of the best `top_k`; every one is if that is `None`.
    pub(super) fn takes(&self, score: f64, top_k: Option<usize>, mode: MonitorMode) -> bool {
        let is_full = top_k.is_some_and(|top_k| self.kept.len() >= top_k);
        !is_full || self.worst(mode).is_none_or(|Kept(_, worst)| mode.is_better(score, *worst))
    }

    /// Removes the worst checkpoint, to make room for a better one, and returns its path.
    pub(super) fn remove_worst(&mut self, mode: MonitorMode) -> Option<PathBuf> {
        let path = self.worst(mode)?.0.clone();
        self.kept.retain(|Kept(kept, _)| *kept != path);
        Some(path)
    }

    pub(super) fn add(&mut self, path: PathBuf, score: f64) {
        self.kept.retain(|Kept(kept, _)| *kept != path);
        self.kept.push(Kept(path, score));
    }

    /// Returns the best checkpoint; of equals, the oldest.
    pub(super) fn best(&self, mode: MonitorMode) -> Option<&Kept> {
        self.first_by(|score, other| mode.is_better(score, other))
    }

    /// Returns the worst checkpoint; of equals, the oldest.
    fn worst(&self, mode: MonitorMode) -> Option<&Kept> {
        self.first_by(|score, other| mode.is_better(other, score))
    }

    fn first_by(&self, before: impl Fn(f64, f64) -> bool) -> Option<&Kept> {
        self.kept.iter().reduce(|first, other| if before(other.1, first.1) { other } else { first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_checkpoint_makes_room() {
        let mode = MonitorMode::Min;
        let mut best = Best::default();
        for (path, score) in [("a", 1.0), ("b", 0.5)] {
            assert!(best.takes(score, Some(2), mode));
            best.add(path.into(), score);
        }
        assert!(!best.takes(1.5, Some(2), mode));
        assert!(best.takes(0.8, Some(2), mode));
        assert_eq!(best.remove_worst(mode), Some("a".into()));
        best.add("c".into(), 0.8);
        assert_eq!(best.best(mode), Some(&Kept("b".into(), 0.5)));
        assert!(best.takes(9.0, None, mode));
    }

    #[test]
    fn scores_survive_json() {
        let mut best = Best::default();
        best.add("a".into(), f64::INFINITY);
        best.add("b".into(), 0.1);
        let json = serde_json::to_value(&best).unwrap();
        assert_eq!(json["kept"], serde_json::json!([["a", "inf"], ["b", 0.1]]));
        assert_eq!(Best::deserialize(json).unwrap(), best);
    }
}
