//! Event files of TensorBoard.

mod events;
mod proto;
mod summary;

use super::log_folder::LogFolder;
use super::media::MediaFolder;
use super::{LoggedAt, Logger, Record, RunStart, RunStatus};
use crate::atomic_file;
use crate::file_error::FileError;
use crate::stage::Stage;
use anyhow::Result;
use events::EventFile;
use proto::{SessionLog, Summary, SummaryValue, What};
use serde_json::{Map, Value, json};
use std::io;
use std::path::{Path, PathBuf};

/// Writes event files that [TensorBoard](https://www.tensorflow.org/tensorboard) shows during the run. Lightning's
/// [`TensorBoardLogger`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.TensorBoardLogger.html).
///
/// ```
/// # use tch_lightning::LightningModule;
/// # use tch_lightning::prelude::*;
/// use tch_lightning::loggers::TensorBoardLogger;
///
/// # fn trainer<M: LightningModule>() -> Trainer<M> {
/// Trainer::new(TrainerConfig::default()).logger(TensorBoardLogger::default())
/// # }
/// ```
///
/// and then `tensorboard --logdir lightning_logs`. TensorBoard shows
///
/// - rows as scalars under their names, with the row's step;
/// - [histograms](crate::RunContext::log_histogram), [images](crate::RunContext::log_image) and
///   [texts](crate::RunContext::log_text), which it renders as Markdown;
/// - hyperparameters, with the names of nested ones joined by `/`, next to the last value of each metric: its HPARAMS tab.
///
/// Tables and figures, for which it has no tab, are files in the same folder. Every record is in the file as soon as it is logged.
///
/// # A resumed run
///
/// In the folder of the interrupted run, the resumed run removes what was logged after the checkpoint when it logs its first record. A
/// running TensorBoard, which may have read that already, drops it as well. The first `fit` of a logger that does not resume replaces the
/// event files of this crate that are in the folder. `validate` and `test` add to them.
#[derive(Debug, Default)]
pub struct TensorBoardLogger {
    folder: LogFolder,
    /// The event files of earlier runs that stay, until the first record.
    earlier: Option<Earlier>,
    /// The files that stay of earlier runs, with their lengths.
    kept: Map<String, Value>,
    file: Option<EventFile>,
    /// The last step that was logged.
    last_step: i64,
    /// Whether the HPARAMS tab has the beginning of the run.
    has_hyperparameters: bool,
}

/// What stays of earlier event files.
#[derive(Debug)]
enum Earlier {
    All,
    /// So many bytes of each, and nothing after this step.
    Bytes(Map<String, Value>, i64),
    /// What was logged before this step.
    Before(i64),
}

impl Earlier {
    /// Removes what does not stay of the files in a folder. Returns the others with their lengths.
    fn keep(&self, folder: &Path) -> io::Result<Map<String, Value>> {
        let mut kept = Map::new();
        for (path, name, length) in events::existing(folder)? {
            let stays = match self {
                Self::All | Self::Before(_) => length,
                Self::Bytes(files, _) => files.get(&name).and_then(Value::as_u64).unwrap_or(0).min(length),
            };
            match stays {
                0 => atomic_file::remove(&path)?,
                stays if stays < length => atomic_file::truncate(&path, stays)?,
                _ => {}
            }
            if stays > 0 {
                kept.insert(name, stays.into());
            }
        }
        Ok(kept)
    }

    /// Returns the first step that readers should forget, if the run was resumed.
    fn restarted_at(&self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Bytes(files, last) => (!files.is_empty()).then(|| last.saturating_add(1)),
            Self::Before(step) => Some(*step),
        }
    }
}

const FILES: &str = "files";
const STEP: &str = "step";

impl TensorBoardLogger {
    /// Returns a logger that writes into `folder`, which is made when a run begins. One of
    /// [`default`](Self::default) writes into the folder of the run, `lightning_logs/version_…`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: LogFolder::named(folder.into()), ..Self::default() }
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> FileError + use<> {
        let path = self.folder.file("");
        move |source| FileError { what, path: path.clone(), source }
    }

    /// Returns the event file of this run. Creates it for the first record, which is also when earlier files lose what does not stay.
    fn file(&mut self) -> io::Result<&mut EventFile> {
        let folder = self.folder.file("");
        let mut restarted_at = None;
        if let Some(earlier) = &self.earlier {
            self.kept = earlier.keep(&folder)?;
            restarted_at = earlier.restarted_at();
            self.earlier = None;
        }
        if self.file.is_none() {
            atomic_file::make_folders(&folder)?;
            let mut file = EventFile::create(&folder)?;
            if let Some(step) = restarted_at {
                file.append(step, What::SessionLog(SessionLog { status: proto::START }))?;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the event file is missing"))
    }

    fn append(&mut self, step: usize, value: Vec<SummaryValue>) -> Result<(), FileError> {
        let failed = self.failed("cannot write the events of TensorBoard in");
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.last_step = self.last_step.max(step);
        self.file().and_then(|file| file.append(step, What::Summary(Summary { value }))).map_err(failed)
    }
}

impl Logger for TensorBoardLogger {
    fn name(&self) -> &str {
        "tensorboard"
    }

    fn version(&self) -> Option<String> {
        self.folder.version()
    }

    fn log_dir(&self) -> Option<&Path> {
        self.folder.path()
    }

    fn uses_run_folder(&self) -> bool {
        self.folder.is_of_run()
    }

    fn begin(&mut self, run: &RunStart) -> Result<()> {
        self.has_hyperparameters = false;
        if self.folder.begin(run)? {
            (self.file, self.earlier, self.last_step) = (None, None, 0);
            self.kept.clear();
        }
        match &run.resumed {
            Some(resumed) => {
                let step = |step: usize| i64::try_from(step).unwrap_or(i64::MAX);
                self.file = None;
                self.earlier = Some(match resumed.state[FILES].as_object() {
                    Some(files) => {
                        self.last_step = resumed.state[STEP].as_i64().unwrap_or(0).max(step(resumed.step));
                        Earlier::Bytes(files.clone(), self.last_step)
                    }
                    // the checkpoint is from a run without this logger
                    None => Earlier::Before(step(resumed.step)),
                });
            }
            None if self.file.is_none() && run.stage == Stage::Fit => {
                self.earlier = Some(Earlier::Bytes(Map::new(), 0));
            }
            None if self.file.is_none() => self.earlier = Some(Earlier::All),
            None => {}
        }
        Ok(())
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        let value = match record {
            Record::Scalars(row) => row.iter().map(|(name, value)| summary::scalar(name, *value)).collect(),
            Record::Hyperparameters(values) => {
                self.has_hyperparameters = true;
                vec![summary::hyperparameters(values, events::now())]
            }
            Record::Histogram { name, histogram } => vec![summary::histogram(name, histogram)],
            Record::Image { name, image } => vec![summary::image(name, image)?],
            Record::Text { name, text } => vec![summary::text(name, text)],
            Record::Table { .. } | Record::Figure { .. } => {
                return Ok(MediaFolder::of(&self.folder.file("")).write(record, at)?);
            }
            Record::Graph(_) | Record::Checkpoint(_) => return Ok(()),
        };
        Ok(self.append(at.step, value)?)
    }

    fn save(&mut self) -> Result<()> {
        let failed = self.failed("cannot save the events of TensorBoard in");
        Ok(self.file.as_mut().map_or(Ok(()), EventFile::save).map_err(failed)?)
    }

    fn state_dict(&self) -> Value {
        let mut files = match &self.earlier {
            // nothing was logged since the run was resumed
            Some(Earlier::Bytes(files, _)) => files.clone(),
            _ => self.kept.clone(),
        };
        if let Some(file) = &self.file {
            let (name, length) = file.name_and_length();
            files.insert(name, length.into());
        }
        json!({ FILES: files, STEP: self.last_step })
    }

    fn finalize(&mut self, status: RunStatus) -> Result<()> {
        if self.has_hyperparameters {
            let step = usize::try_from(self.last_step).unwrap_or(0);
            self.append(step, vec![summary::end(status, events::now())])?;
        }
        self.save()
    }
}
