//! Keeps what a run was at when it failed.

use crate::checkpoint::SaveRequest;
use crate::context::phase::Outside;
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::file_error::FileError;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use crate::{atomic_file, location, messages};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Writes a checkpoint where a run ends by an error. Lightning's
/// [`OnExceptionCheckpoint`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.OnExceptionCheckpoint.html).
///
/// The files of other runs stay. A run that fails where there is such a file writes to `on_exception-v1.ckpt`, `on_exception-v2.ckpt`,
/// …, and to the folder `version_1` in `dirpath` while another run writes its checkpoints to `dirpath`. A file that the run itself began
/// from is replaced, as the new checkpoint is further on in the same training: a supervisor can resume from one path again and again.
/// Unlike Lightning's, a run that does not fail removes nothing.
///
/// A run that fails within a batch is resumed at the beginning of the batch's accumulation window. What was logged in the batches
/// that are trained on again is taken back, and counts once. What their hooks have changed elsewhere is not: a metric that was
/// updated before the failure counts that update twice, and random numbers are others than in a run that did not fail. A failure
/// between batches, as of a loader or by a signal, repeats nothing.
///
/// ```
/// use tch_lightning::callbacks::OnExceptionCheckpoint;
///
/// let checkpoint = OnExceptionCheckpoint::new("crashes").filename("last_words");
/// assert_eq!(checkpoint.ckpt_path(), std::path::Path::new("crashes/last_words.ckpt"));
/// ```
///
/// # Errors
/// Every verb fails if the file's name is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct OnExceptionCheckpoint {
    /// The folder.
    pub dirpath: PathBuf,
    /// The file's name without its ending. Default `on_exception`.
    #[serde(default = "default_filename")]
    pub filename: String,
}

fn default_filename() -> String {
    "on_exception".to_owned()
}

impl OnExceptionCheckpoint {
    /// Writes `on_exception.ckpt` into this folder.
    pub fn new(dirpath: impl Into<PathBuf>) -> Self {
        Self { dirpath: dirpath.into(), filename: default_filename() }
    }

    /// Sets the file's name, without its ending.
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: filename.into(), ..self }
    }

    /// The file of the first run that fails.
    pub fn ckpt_path(&self) -> PathBuf {
        self.folder().join(format!("{}.ckpt", self.filename))
    }

    /// The folder, with the user's home directory in place of `~`.
    fn folder(&self) -> PathBuf {
        location::expanded(&self.dirpath)
    }

    /// The file of this run.
    fn free_path(&self, ctx: &mut RunContext) -> Result<PathBuf, Error> {
        let refused = |source| FileError { what: REFUSED, path: self.folder(), source };
        let folder = ctx.checkpoint_folders().claim(&self.folder()).map_err(refused)?;
        let began_from = |path: &Path| ctx.ckpt_path().is_some_and(|began_from| location::is_same(began_from, path));
        let path = ctx.free_checkpoint(&folder, &self.filename, began_from);
        if path != self.ckpt_path() {
            let (other, path) = (self.ckpt_path(), path.display());
            messages::info!("{} is left to another run: this one writes {path}", other.display());
        }
        Ok(path)
    }
}

const REFUSED: &str = "checkpoints can't be written to";

impl<M: LightningModule> Callback<M> for OnExceptionCheckpoint {
    fn name(&self) -> &'static str {
        "OnExceptionCheckpoint"
    }

    fn writes_checkpoints(&self) -> bool {
        true
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, _: Stage) -> Result<()> {
        if self.filename.is_empty() {
            let mistake = "OnExceptionCheckpoint: `filename` is empty, and the file needs a name".to_owned();
            return Err(Error::configuration(mistake).into());
        }
        let refused = |(path, source)| FileError { what: REFUSED, path, source };
        Ok(atomic_file::check_folder(&self.folder()).map_err(refused)?)
    }

    fn on_exception(&mut self, ctx: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        if ctx.stage() == Stage::Fit && !ctx.is_restoring() && !self.filename.is_empty() {
            let path = self.free_path(ctx)?;
            ctx.save_checkpoint(SaveRequest::new(path));
        }
        Ok(())
    }
}
