//! Runs of W&B in files, which `wandb sync` uploads.

mod open_run;
mod proto;
mod run_file;
mod values;

use super::log_folder::LogFolder;
use super::protobuf_number::protobuf_number;
use super::{LoggedAt, Logger, Record, RunStart, RunStatus};
use crate::file_error::FileError;
use crate::messages;
use anyhow::Result;
use open_run::OpenRun;
use proto::{Kind, Run, Update};
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use values::item;

/// Writes runs of [Weights & Biases](https://docs.wandb.ai/) into files, as wandb's own client does in its
/// [offline mode](https://docs.wandb.ai/support/run_wandb_offline/); `wandb sync` uploads them. Lightning's
/// [`WandbLogger`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.WandbLogger.html) with
/// `offline=True`. It needs no network, no account and no Python.
///
/// ```
/// # use tch_lightning::LightningModule;
/// # use tch_lightning::prelude::*;
/// use tch_lightning::loggers::WandbLogger;
///
/// # fn trainer<M: LightningModule>() -> Trainer<M> {
/// Trainer::new(TrainerConfig::default()).logger(WandbLogger::new().project("digits").run_name("wide"))
/// # }
/// ```
///
/// The end of the run prints the command that uploads it, such as
/// `wandb sync lightning_logs/version_0/wandb/offline-run-20261127_183851-d6rp7ybr`.
///
/// Rows have the trainer's step as `trainer/global_step`, which is the horizontal axis of all charts. Hyperparameters are the run's
/// configuration. Histograms, images, tables and figures are W&B's own; a text is a table with one row. Checkpoints are not uploaded.
///
/// # A resumed run
///
/// A run that resumes in the folder of the interrupted one continues its W&B run, without what was logged after the checkpoint. If that
/// was uploaded already, `wandb sync --include-synced` uploads it again. A killed run can be uploaded as well; every record is in the file as soon as it is
/// logged.
#[derive(Debug, Default)]
pub struct WandbLogger {
    folder: LogFolder,
    project: Option<String>,
    entity: Option<String>,
    run_name: Option<String>,
    open: Option<OpenRun>,
}

/// The project of runs that name none, as in Lightning.
const DEFAULT_PROJECT: &str = "lightning_logs";
impl WandbLogger {
    /// Returns a logger that writes into `wandb` in the folder of the run, `lightning_logs/version_…`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a logger with the options that are set: a folder, and the project, entity and name of the run.
    pub(crate) fn of(folder: Option<PathBuf>, [project, entity, run_name]: [Option<String>; 3]) -> Self {
        let folder = folder.map(LogFolder::named).unwrap_or_default();
        Self { folder, project, entity, run_name, open: None }
    }

    /// Sets another folder for the runs, in which each has a folder of its own. `wandb sync` without a path uploads those in `wandb`.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = LogFolder::named(folder.into());
        self
    }

    /// Sets the project, which W&B creates if it does not exist: by default `lightning_logs`.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Sets the user or team that the run belongs to: by default the one that uploads it.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Sets the name of the run: by default W&B chooses one.
    #[must_use]
    pub fn run_name(mut self, name: impl Into<String>) -> Self {
        self.run_name = Some(name.into());
        self
    }

    /// Returns the folder of the run, which `wandb sync` takes; `None` before the first record.
    pub fn run_dir(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.folder())
    }

    /// Returns the folder in which runs have their folders.
    fn runs(&self) -> PathBuf {
        if self.folder.is_of_run() { self.folder.file("wandb") } else { self.folder.file("") }
    }

    /// Returns the run, and begins it if this is its first record.
    fn open(&mut self) -> io::Result<&mut OpenRun> {
        if self.open.is_none() {
            let project = self.project.as_deref().unwrap_or(DEFAULT_PROJECT);
            let described = Run {
                project: project.to_owned(),
                entity: self.entity.clone().unwrap_or_default(),
                display_name: self.run_name.clone().unwrap_or_default(),
                ..Run::default()
            };
            self.open = Some(OpenRun::begin(&self.runs(), described)?);
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("the run is missing"))
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> FileError + use<> {
        let path = self.open.as_ref().map_or_else(|| self.runs(), |open| open.folder().to_owned());
        move |source| FileError { what, path: path.clone(), source }
    }

    /// Runs a part that writes into the run.
    fn write(&mut self, part: impl FnOnce(&mut OpenRun) -> io::Result<()>) -> Result<()> {
        let outcome = self.open().and_then(part);
        Ok(outcome.map_err(self.failed("cannot write the W&B run"))?)
    }
}

impl Logger for WandbLogger {
    fn name(&self) -> &str {
        "wandb"
    }

    fn version(&self) -> Option<String> {
        self.open.as_ref().map(|open| open.id().to_owned())
    }

    fn log_dir(&self) -> Option<&Path> {
        self.folder.path()
    }

    fn uses_run_folder(&self) -> bool {
        self.folder.is_of_run()
    }

    fn begin(&mut self, run: &RunStart) -> Result<()> {
        if self.folder.begin(run)? {
            self.open = None;
        }
        if let Some(resumed) = &run.resumed {
            self.open = OpenRun::resumed(&self.runs(), &resumed.state);
        }
        if let Some(open) = &mut self.open {
            open.reopen();
        }
        Ok(())
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        match record {
            Record::Scalars(row) => self.write(|run| {
                let items = row.iter().map(|(name, value)| item(name, &protobuf_number(*value))).collect();
                run.append_row(items, at, Vec::new())
            }),
            Record::Hyperparameters(values) => self.write(|run| {
                let fields = values.as_object().into_iter().flatten();
                let items = fields.map(|(name, value)| item(name, value)).collect();
                run.append(vec![Kind::Config(Update { items })])
            }),
            Record::Histogram { name, histogram } => {
                self.write(|run| run.append_row(vec![item(name, &values::histogram(histogram))], at, Vec::new()))
            }
            Record::Image { name, .. }
            | Record::Figure { name, .. }
            | Record::Table { name, .. }
            | Record::Text { name, .. } => self.write(|run| match values::media(record, at)? {
                Some(media) => run.append_media(name, &media, at),
                None => Ok(()),
            }),
            Record::Graph(_) | Record::Checkpoint(_) => Ok(()),
        }
    }

    fn save(&mut self) -> Result<()> {
        let failed = self.failed("cannot save the W&B run");
        Ok(self.open.as_mut().map_or(Ok(()), OpenRun::save).map_err(failed)?)
    }

    fn state_dict(&self) -> Value {
        self.open.as_ref().map_or(Value::Null, |open| json!(open.state()))
    }

    fn finalize(&mut self, status: RunStatus) -> Result<()> {
        let failed = self.failed("cannot end the W&B run");
        if let Some(open) = &mut self.open {
            open.end(status).map_err(failed)?;
            messages::info!("upload the run to W&B: wandb sync {}", open.folder().display());
        }
        Ok(())
    }
}
