//! The folder of a run's checkpoints, and the paths in it.

use super::ModelCheckpoint;
use super::name::Template;
use crate::atomic_file;
use crate::checkpoint::folders::is_claimed_for;
use crate::checkpoint::lightning::quoted;
use crate::context::{CHECKPOINTS, RunContext};
use crate::error::Error;
use crate::file_error::FileError;
use crate::messages;
use crate::paths;
use crate::span::Span;
use crate::stage::Stage;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl ModelCheckpoint {
    /// Lightning's key of the callback's state, with its defaults of the intervals.
    pub(in crate::callbacks) fn lightning_key(&self) -> String {
        let Self { mode, every_n_train_steps, every_n_epochs, train_time_interval, .. } = self;
        let monitor = self.monitor.as_deref().map_or("None".to_owned(), quoted);
        let other = every_n_train_steps.is_some() || train_time_interval.is_some();
        let epochs = every_n_epochs.unwrap_or(usize::from(!other));
        let interval = train_time_interval.map(|Span(time)| format!("datetime.timedelta(seconds={})", time.as_secs()));
        let (steps, interval) = (every_n_train_steps.unwrap_or(0), interval.as_deref().unwrap_or("None"));
        format!(
            "ModelCheckpoint{{'monitor': {monitor}, 'mode': '{mode}', 'every_n_train_steps': {steps}, 'every_n_epochs': {epochs}, \
             'train_time_interval': {interval}}}"
        )
    }

    /// Returns [`dirpath`](field@Self::dirpath) with `~` expanded.
    pub(super) fn expanded_dirpath(&self) -> Option<PathBuf> {
        self.dirpath.as_deref().map(paths::expanded)
    }

    /// Returns the folder of this run's checkpoints; the first call creates it.
    fn folder(&mut self, ctx: &mut RunContext) -> Result<PathBuf, Error> {
        if let Some(folder) = &self.run.folder {
            return Ok(folder.clone());
        }
        let dirpath = match self.expanded_dirpath() {
            Some(dirpath) => dirpath,
            None => ctx.log_dir()?.join(CHECKPOINTS),
        };
        let folder = if ctx.is_global_zero() {
            ctx.checkpoint_folders().claim(&dirpath).map_err(|source| FileError {
                what: "cannot create the folder of the checkpoints,",
                path: dirpath.clone(),
                source,
            })?
        } else {
            dirpath.clone()
        };
        let folder = ctx.path_of_rank_zero(folder)?;
        if folder != dirpath {
            let (dirpath, folder) = (dirpath.display(), folder.display());
            messages::warning!("another run is writing its checkpoints to {dirpath}: this run writes to {folder}");
        }
        self.state.dirpath.clone_from(&folder);
        Ok(self.run.folder.insert(folder).clone())
    }

    /// Takes over the folder of an earlier run, if this run has the same `dirpath` and no running process has locked it.
    pub(super) fn taken_over(&mut self, ctx: &mut RunContext, folder: &Path) -> Option<PathBuf> {
        let dirpath = self.expanded_dirpath().filter(|dirpath| is_claimed_for(folder, dirpath))?;
        let folder = if paths::is_same(folder, &dirpath) { dirpath } else { folder.to_owned() };
        // other verbs write nothing
        if ctx.stage() == Stage::Fit && folder.exists() {
            if ctx.is_global_zero() && !ctx.checkpoint_folders().take_over(&folder) {
                return None;
            }
            self.run.folder = Some(folder.clone());
        }
        Some(folder)
    }

    /// Checks that the folder can be written to, without creating it.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn check_folder(&self, ctx: &RunContext) -> Result<(), Error> {
        let folder = match (self.expanded_dirpath(), ctx.made_log_dir()) {
            // other processes write nothing
            _ if ctx.is_fast_dev_run() || !ctx.is_global_zero() => return Ok(()),
            (Some(dirpath), _) => dirpath,
            (None, Some(log_dir)) => log_dir.to_owned(),
            (None, None) => ctx.config().default_root_dir.clone(),
        };
        let refused = |(path, source)| FileError { what: "checkpoints cannot be written to", path, source };
        Ok(atomic_file::check_folder(&folder).map_err(refused)?)
    }

    /// Whether saving `new` may remove `old`: not if it is in another folder, or if the run started from it.
    pub(super) fn may_remove(&self, old: &Path, new: &Path) -> bool {
        let began_from = self.run.began_from.as_deref();
        let entry = paths::entry(old);
        entry != paths::entry(new)
            && entry.starts_with(paths::resolved(&self.state.dirpath))
            && began_from.is_none_or(|began_from| !paths::is_same(began_from, old))
    }

    /// Returns the path of the next checkpoint, where no file exists except the one to be replaced.
    pub(super) fn free_path(
        &mut self,
        ctx: &mut RunContext,
        metrics: &BTreeMap<String, f64>,
        replaced: Option<&Path>,
    ) -> Result<PathBuf> {
        let template = Template::parse(self.filename.as_deref()).map_err(Error::configuration)?;
        self.free(ctx, &template.filled(metrics, self.auto_insert_metric_name), replaced)
    }

    pub(super) fn free(&mut self, ctx: &mut RunContext, name: &str, replaced: Option<&Path>) -> Result<PathBuf> {
        let folder = self.folder(ctx)?;
        let path = ctx.free_checkpoint(&folder, name, |path| !self.enable_version_counter || Some(path) == replaced);
        Ok(ctx.path_of_rank_zero(path)?)
    }
}
