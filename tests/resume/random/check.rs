//! Holds a run that was resumed against the run that was not interrupted.

use super::model::{STOPPED, train};
use super::plan::Plan;
use crate::resume::{LINE, Load, Trace};
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;
use tch_lightning::{Error, checkpoint::Checkpoint};

/// What became of a plan.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The resumed run did what the uninterrupted one did.
    Same,
    /// The configuration makes no sense.
    Refused,
    /// No checkpoint was written to resume from, or it was written when the run had stopped, so that the resumed one continues.
    NothingToResume,
}

/// The lines at which something begins that a resumed run must not lose.
const BEGINNINGS: [&str; 3] = ["on_train_batch_start", "on_validation_start", "on_train_epoch_start"];

/// Trains by the plan of this number, resumes from one of the checkpoints, and holds hooks, rows and weights against each other.
///
/// # Errors
/// Where they differ, or where a run fails.
pub fn check(seed: u64) -> Result<Outcome> {
    let plan = Plan::random(seed);
    let folder = tempfile::tempdir()?;
    let whole = Trace::default();
    let weights = match train(&plan, 1, &whole, &folder.path().join("whole"), None) {
        Ok(weights) => weights,
        Err(Error::Configuration(_)) => return Ok(Outcome::Refused),
        Err(Error::Hook(hook)) if hook.error.downcast_ref::<Error>().is_some() => return Ok(Outcome::Refused),
        Err(error) => return Err(error.into()),
    };
    let Some(file) = picked(seed, &folder.path().join("whole"))? else { return Ok(Outcome::NothingToResume) };
    let line: usize = Checkpoint::read(&file)?.get(LINE)?.context("a checkpoint without a line")?;
    if has_stopped(&whole, line) {
        return Ok(Outcome::NothingToResume);
    }
    let resumed = Trace::default();
    let resumed_weights = train(&plan, 2, &resumed, &folder.path().join("resumed"), Some(&file));
    let resumed_weights = resumed_weights.with_context(|| format!("after {}", file.display()))?;
    compare(&whole.lines(), line, &resumed.behind("on_train_start"))
        .and_then(|()| compare_loads(&whole.loads(), &resumed.loads()))
        .and_then(|()| {
            ensure!(resumed_weights == weights, "the weights differ");
            Ok(())
        })
        .with_context(|| format!("after {}", file.display()))?;
    Ok(Outcome::Same)
}

/// One of the checkpoints.
fn picked(seed: u64, folder: &std::path::Path) -> Result<Option<PathBuf>> {
    let Ok(files) = std::fs::read_dir(folder) else { return Ok(None) };
    let mut files: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let mut rng = fastrand::Rng::with_seed(!seed);
    Ok(rng.choice(files))
}

/// Whether a checkpoint was written at the end of the epoch in which a hook had stopped the run. Whoever resumes it wants more.
fn has_stopped(whole: &Trace, line: usize) -> bool {
    let lines = whole.lines();
    let ends_epoch = !lines[line..].iter().any(|line| line.starts_with("on_train_epoch_end"));
    ends_epoch && lines.last().is_some_and(|line| line == STOPPED)
}

/// Holds the lines after the place where the run was resumed against each other.
fn compare(whole: &[String], line: usize, resumed: &[String]) -> Result<()> {
    // a checkpoint that a hook asked for is written later, when the run is where it can be resumed
    let whole = &whole[line..];
    let written = match resumed.first() {
        Some(first) => whole.iter().position(|line| line == first).with_context(|| format!("{first:?} is added"))?,
        None => whole.len(),
    };
    let (between, whole) = whole.split_at(written);
    let lost = between.iter().find(|line| BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)));
    ensure!(lost.is_none(), "the resumed run left out {lost:?}");
    for (place, whole) in whole.iter().enumerate() {
        let resumed = resumed.get(place);
        ensure!(resumed == Some(whole), "line {place} is {resumed:?}, not {whole:?}");
    }
    ensure!(resumed.len() == whole.len(), "{:?} is added at the end", resumed.get(whole.len()));
    Ok(())
}

/// Holds the epochs in which loaders were made against each other. A resumed run makes its own when it first needs them.
fn compare_loads(whole: &[Load], resumed: &[Load]) -> Result<()> {
    for hook in ["train_dataloader", "val_dataloader"] {
        let epochs =
            |loads: &[Load]| loads.iter().filter(|(loader, _)| *loader == hook).map(|(_, epoch)| *epoch).collect();
        let (mut whole, resumed): (Vec<usize>, Vec<usize>) = (epochs(whole), epochs(resumed));
        let Some((first, resumed)) = resumed.split_first() else { continue };
        whole.retain(|epoch| epoch > first);
        ensure!(whole == resumed, "after epoch {first}, `{hook}` is called in epochs {resumed:?}, not in {whole:?}");
    }
    Ok(())
}
