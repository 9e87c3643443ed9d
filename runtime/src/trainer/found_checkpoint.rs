//! Finding the checkpoint for `best` and `last`.

use super::{CkptPath, Trainer};
use crate::callbacks::{ModelCheckpoint, OnExceptionCheckpoint, SavedBest};
use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::context::{LOGS, checkpoint_folders, versions};
use crate::error::Error;
use crate::messages::{info, warning};
use crate::module::LightningModule;
use crate::paths;
use crate::stage::Stage;
use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A checkpoint, and the reason for its choice.
#[derive(Debug, PartialEq)]
pub(crate) struct FoundCheckpoint {
    pub(crate) path: PathBuf,
    why: Why,
}

#[derive(Debug, PartialEq)]
enum Why {
    Named,
    Last,
    /// The best, with the monitored metric and its value.
    Best(Option<(String, f64)>),
}

impl fmt::Display for FoundCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Named => write!(f, "checkpoint: {path}"),
            Why::Last => write!(f, "last checkpoint: {path}"),
            Why::Best(None) => write!(f, "best checkpoint (no metric is monitored: the last): {path}"),
            Why::Best(Some((monitor, score))) => write!(f, "best checkpoint ({monitor}: {score:.4}): {path}"),
        }
    }
}

/// Finds a checkpoint for a process that has not trained: in the newest run under the root of this configuration. Returns `None` for
/// a `fit` from the last checkpoint if there is none yet.
pub(crate) fn find_checkpoint(
    ckpt_path: &CkptPath,
    stage: Stage,
    config: &TrainerConfig,
) -> Result<Option<FoundCheckpoint>, Error> {
    let logs = config.root().join(LOGS);
    let newest = || newest_of_runs(&logs);
    match ckpt_path {
        CkptPath::Path(path) => Ok(Some(FoundCheckpoint { path: paths::expanded(path), why: Why::Named })),
        CkptPath::Last => match newest() {
            Some(path) => Ok(Some(FoundCheckpoint { path, why: Why::Last })),
            None => none(ckpt_path, stage, &format!("in {}", logs.display())),
        },
        CkptPath::Best => {
            let Some(newest) = newest() else { return none(ckpt_path, stage, &format!("in {}", logs.display())) };
            let bests = bests_of(&newest)?;
            match bests.into_iter().next() {
                Some(best) => of_best(best).map(Some),
                None => Err(Error::configuration(format!(
                    "the best checkpoint is unknown: {} does not have the state of a `ModelCheckpoint`; name a checkpoint, or \
                     use `last`",
                    newest.display()
                ))),
            }
        }
    }
}

/// Finds the default checkpoint of the program's evaluation: the best one of the newest run if a metric is monitored, else the last
/// one.
pub(crate) fn find_best_or_last(stage: Stage, config: &TrainerConfig) -> Result<Option<FoundCheckpoint>, Error> {
    let Some(newest) = newest_of_runs(&config.root().join(LOGS)) else {
        return find_checkpoint(&CkptPath::Last, stage, config);
    };
    match bests_of(&newest)?.into_iter().find(|best| best.score.is_some()) {
        Some(best) => of_best(best).map(Some),
        None => Ok(Some(FoundCheckpoint { path: newest, why: Why::Last })),
    }
}

/// The best checkpoints that the `ModelCheckpoint`s of a run knew when it wrote this one, those that monitor a metric first.
fn bests_of(checkpoint: &Path) -> Result<Vec<SavedBest>, Error> {
    let metadata = Checkpoint::read_metadata(checkpoint)?;
    let bests = SavedBest::all_in(checkpoint, &metadata.callbacks);
    if let [first, _, ..] = bests.iter().filter(|best| best.score.is_some()).collect::<Vec<_>>().as_slice() {
        let monitor = first.monitor.as_deref().unwrap_or_default();
        warning!(
            "several `ModelCheckpoint`s monitor a metric: `{monitor}` decides which checkpoint is best; to choose another, \
             give its path as the `ckpt_path`"
        );
    }
    Ok(bests)
}

fn of_best(best: SavedBest) -> Result<FoundCheckpoint, Error> {
    let SavedBest { path, monitor, score } = best;
    if !path.exists() {
        return Err(Error::configuration(format!(
            "the best checkpoint, {}, no longer exists: name another one, or use `last`",
            path.display()
        )));
    }
    Ok(FoundCheckpoint { path, why: Why::Best(monitor.zip(score)) })
}

/// Warns if a `fit` finds no checkpoint, and fails for the other verbs.
fn none(ckpt_path: &CkptPath, stage: Stage, location: &str) -> Result<Option<FoundCheckpoint>, Error> {
    if stage == Stage::Fit && *ckpt_path == CkptPath::Last {
        warning!("there is no checkpoint {location}: `fit` starts from scratch");
        return Ok(None);
    }
    Err(Error::configuration(format!(
        "there is no checkpoint {location}: run `fit` first, or name a checkpoint with `--ckpt-path` or `ckpt_path`"
    )))
}

impl<M: LightningModule> Trainer<M> {
    /// Finds the checkpoint that the next run starts from.
    pub(super) fn find_checkpoint(&self, ckpt_path: &CkptPath, stage: Stage) -> Result<Option<PathBuf>, Error> {
        let found = match ckpt_path {
            CkptPath::Best if self.has_fit => Some(best_of_fit(&self.any_callbacks())?),
            CkptPath::Last if self.has_fit => match last_of_fit(&self.any_callbacks(), self.ctx.made_log_dir()) {
                Some(path) => Some(FoundCheckpoint { path, why: Why::Last }),
                None => none(ckpt_path, stage, "of the last `fit`")?,
            },
            _ => find_checkpoint(ckpt_path, stage, &self.config)?,
        };
        let Some(found) = found else { return Ok(None) };
        if found.why != Why::Named {
            info!("{found}");
        }
        Ok(Some(found.path))
    }

    fn any_callbacks(&self) -> Vec<&dyn Any> {
        self.callbacks.list.iter().map(|callback| callback.as_ref() as &dyn Any).collect()
    }
}

fn all<'a, C: 'static>(callbacks: &[&'a dyn Any]) -> impl Iterator<Item = &'a C> {
    callbacks.iter().filter_map(|callback| callback.downcast_ref())
}

fn best_of_fit(callbacks: &[&dyn Any]) -> Result<FoundCheckpoint, Error> {
    let all = || all::<ModelCheckpoint>(callbacks);
    let known = all().find(|callback| callback.best_model_score().is_some()).or_else(|| all().next());
    let Some(callback) = known else {
        return Err(Error::configuration(
            "the best checkpoint is unknown: the last `fit` did not have a `ModelCheckpoint`; add one that monitors a metric",
        ));
    };
    let Some(path) = callback.best_model_path() else {
        return Err(Error::configuration(
            "the best checkpoint is unknown: the `ModelCheckpoint` of the last `fit` did not save one; check its \
             `save_top_k` and intervals",
        ));
    };
    of_best(SavedBest { path: path.to_owned(), monitor: callback.monitor.clone(), score: callback.best_model_score() })
}

fn last_of_fit(callbacks: &[&dyn Any], log_dir: Option<&Path>) -> Option<PathBuf> {
    let by_callbacks = all::<ModelCheckpoint>(callbacks).flat_map(ModelCheckpoint::known_paths).map(Path::to_owned);
    let on_exception = all::<OnExceptionCheckpoint>(callbacks).map(OnExceptionCheckpoint::ckpt_path);
    let in_log_dir = log_dir.and_then(newest_checkpoint);
    by_callbacks.chain(on_exception).chain(in_log_dir).filter(|path| path.exists()).max_by_key(|path| modified(path))
}

/// The newest checkpoint of the newest run that has one.
fn newest_of_runs(logs: &Path) -> Option<PathBuf> {
    versions(logs).into_iter().rev().find_map(|(_, run)| newest_checkpoint(&run))
}

/// The newest checkpoint of the run that has this folder.
pub(super) fn newest_checkpoint(run: &Path) -> Option<PathBuf> {
    let files = checkpoint_folders(run).into_iter().flat_map(std::fs::read_dir).flatten();
    let files = files.flatten().map(|entry| entry.path());
    let checkpoints =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "ckpt") && path.is_file());
    checkpoints.max_by_key(|path| modified(path))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}
