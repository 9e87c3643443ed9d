//! Writes a checkpoint when a run fails.

use crate::checkpoint::SaveRequest;
use crate::choice::FieldMistake;
use crate::context::phase::Outside;
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::file_error::FileError;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use crate::{atomic_file, messages, paths};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Writes a checkpoint when a run fails. Lightning's
/// [`OnExceptionCheckpoint`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.OnExceptionCheckpoint.html).
///
/// The files of other runs are kept. If `on_exception.ckpt` exists, the run writes to `on_exception-v1.ckpt`, `on_exception-v2.ckpt`,
/// …, and while another run writes its checkpoints to `dirpath`, to the folder `version_1` inside it. The file that the run started
/// from is replaced, because the new checkpoint continues the same training: a supervisor can always resume from the same path.
/// Unlike with Lightning's callback, a run that succeeds removes nothing.
///
/// A run that fails within a batch resumes at the beginning of the batch's accumulation window. The values logged in the batches
/// that are repeated are discarded, so that they count once. Other effects of their hooks are not undone: a metric that was updated
/// before the failure counts that update twice, and random numbers differ from those of a run that did not fail. After a failure
/// between batches, such as an error of a loader or a signal, no batch is repeated.
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
    /// The folder of the checkpoint.
    pub dirpath: PathBuf,
    /// The name of the file without its extension. Default `on_exception`.
    #[serde(default = "default_filename")]
    pub filename: String,
}

fn default_filename() -> String {
    "on_exception".to_owned()
}

impl OnExceptionCheckpoint {
    /// Returns the first field that is invalid.
    pub(crate) fn mistake(&self) -> Option<FieldMistake> {
        self.filename.is_empty().then(|| FieldMistake::new("filename", "must not be empty"))
    }

    /// Creates a callback that writes `on_exception.ckpt` to this folder.
    pub fn new(dirpath: impl Into<PathBuf>) -> Self {
        Self { dirpath: dirpath.into(), filename: default_filename() }
    }

    /// Sets the name of the file without its extension.
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: filename.into(), ..self }
    }

    /// Returns the path of the checkpoint if no such file exists yet.
    pub fn ckpt_path(&self) -> PathBuf {
        self.folder().join(format!("{}.ckpt", self.filename))
    }

    /// Returns the folder with `~` expanded.
    fn folder(&self) -> PathBuf {
        paths::expanded(&self.dirpath)
    }

    /// Returns the path of this run's checkpoint, and claims its folder.
    fn free_path(&self, ctx: &mut RunContext) -> Result<PathBuf, Error> {
        let refused = |source| FileError { what: REFUSED, path: self.folder(), source };
        if !ctx.is_global_zero() {
            // which alone writes it
            return Ok(self.ckpt_path());
        }
        let folder = ctx.checkpoint_folders().claim(&self.folder()).map_err(refused)?;
        let began_from = |path: &Path| ctx.ckpt_path().is_some_and(|began_from| paths::is_same(began_from, path));
        let path = ctx.free_checkpoint(&folder, &self.filename, began_from);
        if path != self.ckpt_path() {
            let (other, path) = (self.ckpt_path(), path.display());
            messages::info!("{} belongs to another run: this run writes {path}", other.display());
        }
        Ok(path)
    }
}

const REFUSED: &str = "checkpoints cannot be written to";

impl<M: LightningModule> Callback<M> for OnExceptionCheckpoint {
    fn name(&self) -> &'static str {
        "OnExceptionCheckpoint"
    }

    fn writes_checkpoints(&self) -> bool {
        true
    }

    fn setup(&mut self, ctx: &mut Context<Outside>, _: &mut M, _: Stage) -> Result<()> {
        if let Some(mistake) = self.mistake() {
            return Err(Error::configuration(mistake.in_code("OnExceptionCheckpoint")).into());
        }
        if !ctx.is_global_zero() {
            return Ok(());
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
