//! Runs on an MLflow server.

mod operation;
mod server;
mod worker;

use super::flattened::flattened;
use super::media::{MediaFile, histogram_json, media_file};
use super::protobuf_number::protobuf_number;
use super::{LoggedAt, Logger, Record, RunStart, RunStatus};
use crate::since_1970::since_1970;
use anyhow::{Context as _, Result};
use operation::{Contents, Metric, Named, Operation, Start};
use serde_json::{Value, json};
use server::Server;
use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use worker::{RunId, Worker};

/// Logs to an [MLflow](https://mlflow.org/docs/latest/ml/tracking/) server over its REST interface. Lightning's
/// [`MLFlowLogger`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.MLFlowLogger.html).
/// Available with the feature `mlflow` of this crate.
///
/// ```no_run
/// # use tch_lightning::LightningModule;
/// # use tch_lightning::prelude::*;
/// use tch_lightning::loggers::MlflowLogger;
///
/// # fn trainer<M: LightningModule>() -> Trainer<M> {
/// let mlflow = MlflowLogger::new("http://127.0.0.1:5000").experiment_name("digits").run_name("wide");
/// Trainer::new(TrainerConfig::default()).logger(mlflow)
/// # }
/// ```
///
/// Rows are metrics with the row's step, hyperparameters are parameters with the names of nested ones joined by `/`, and images, figures,
/// tables, texts and histograms are artifacts, such as `images/digit/step_100.png`. The run ends as `FINISHED` or `FAILED`. Characters that
/// MLflow does not take in names are replaced by `_`.
///
/// # A server that is slow or gone
///
/// A separate thread sends the requests, so training does not wait for the server. If the server does not answer, the run warns once and
/// continues, and sends its records when the server answers again. Meanwhile it is kept in `mlflow_unsent.jsonl` in the folder of the run,
/// and stays there if the run ends first: [`send_unsent`](Self::send_unsent) sends it later.
///
/// # A resumed run
///
/// A run that resumes from a checkpoint continues the run of the checkpoint on the server. MLflow cannot remove what was logged after it, so
/// that those steps have two values each.
///
/// # Authorization
///
/// As with MLflow's own clients: `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
#[derive(Debug)]
pub struct MlflowLogger {
    tracking_uri: String,
    experiment_name: String,
    run_name: Option<String>,
    log_model: bool,
    timeout: Duration,
    patience: Duration,
    log_dir: Option<PathBuf>,
    tag: String,
    run_id: RunId,
    worker: Option<Worker>,
}

/// The name of the run's tag in a checkpoint.
const TAG: &str = "tag";

/// The most characters of a parameter's value.
const LONGEST_PARAM: usize = 6000;

impl MlflowLogger {
    /// Returns a logger for a server, such as `http://127.0.0.1:5000`.
    pub fn new(tracking_uri: impl Into<String>) -> Self {
        Self {
            tracking_uri: tracking_uri.into(),
            experiment_name: "lightning_logs".to_owned(),
            run_name: None,
            log_model: false,
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            log_dir: None,
            tag: String::new(),
            run_id: RunId::default(),
            worker: None,
        }
    }

    /// Returns a logger for the server that the environment variable `MLFLOW_TRACKING_URI` names.
    ///
    /// # Errors
    /// If the variable is not set.
    pub fn from_env() -> Result<Self> {
        let uri = env::var("MLFLOW_TRACKING_URI");
        Ok(Self::new(uri.context("the environment variable MLFLOW_TRACKING_URI does not name an MLflow server")?))
    }

    /// Sets the experiment, which is created if it does not exist: by default `lightning_logs`.
    #[must_use]
    pub fn experiment_name(mut self, name: impl Into<String>) -> Self {
        self.experiment_name = name.into();
        self
    }

    /// Sets the name of the run. By default MLflow makes one up.
    #[must_use]
    pub fn run_name(mut self, name: impl Into<String>) -> Self {
        self.run_name = Some(name.into());
        self
    }

    /// Sets whether each checkpoint is uploaded as an artifact: by default not.
    #[must_use]
    pub fn log_model(mut self, log_model: bool) -> Self {
        self.log_model = log_model;
        self
    }

    /// Sets how long the server may take for a request: by default 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long the end of a run waits for a server that has not got everything: by default 10 seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the identifier of the run, once the server has given it.
    pub fn run_id(&self) -> Option<String> {
        self.run_id.get()
    }

    /// Sends what a run has kept in its `mlflow_unsent.jsonl`, and removes the file.
    ///
    /// # Errors
    /// If the file cannot be read or the server refuses a request. The file then stays, and what it has may be sent twice.
    pub fn send_unsent(&self, file: impl AsRef<Path>) -> Result<()> {
        worker::send_unsent(self.server(), file.as_ref())
    }

    fn server(&self) -> Server {
        Server::new(&self.tracking_uri, self.timeout)
    }

    fn send(&self, operation: Operation) {
        if let Some(worker) = &self.worker {
            worker.send(operation);
        }
    }

    fn send_artifact(&self, MediaFile { path, contents }: MediaFile) -> Result<()> {
        let path = path.display().to_string();
        self.send(Operation::Artifact { path, contents: Contents::Bytes(contents?) });
        Ok(())
    }
}

impl Logger for MlflowLogger {
    fn name(&self) -> &str {
        "mlflow"
    }

    fn version(&self) -> Option<String> {
        self.run_id()
    }

    fn log_dir(&self) -> Option<&Path> {
        self.log_dir.as_deref()
    }

    fn uses_run_folder(&self) -> bool {
        true
    }

    fn begin(&mut self, run: &RunStart) -> Result<()> {
        self.log_dir.clone_from(&run.log_dir);
        let unsent = self.log_dir.as_deref().unwrap_or(Path::new("")).join("mlflow_unsent.jsonl");
        let worker = self.worker.insert(Worker::start(self.server(), unsent, self.run_id.clone())?);
        let resumed = run.resumed.as_ref().and_then(|resumed| resumed.state[TAG].as_str());
        self.tag = resumed.map_or_else(new_tag, str::to_owned);
        worker.send(Operation::Start(Start {
            experiment: self.experiment_name.clone(),
            run_name: self.run_name.clone(),
            tag: self.tag.clone(),
            continues: resumed.is_some(),
            time: milliseconds(),
        }));
        Ok(())
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        match record {
            Record::Scalars(row) => {
                let timestamp = milliseconds();
                let metric = |(name, value): &(String, f64)| Metric {
                    key: accepted(name),
                    value: protobuf_number(*value),
                    timestamp,
                    step: at.step,
                };
                let metrics = row.iter().map(metric).collect();
                Operation::batches(metrics, Vec::new()).for_each(|batch| self.send(batch));
            }
            Record::Hyperparameters(values) => {
                let params = flattened(values).into_iter().map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Named { key: accepted(&name), value: text.chars().take(LONGEST_PARAM).collect() }
                });
                Operation::batches(Vec::new(), params.collect()).for_each(|batch| self.send(batch));
            }
            Record::Histogram { name, histogram } => {
                let contents = Ok(histogram_json(name, histogram).to_string().into_bytes());
                let path = Path::new("histograms").join(accepted(name)).join(format!("step_{}.json", at.step));
                self.send_artifact(MediaFile { path, contents })?;
            }
            Record::Checkpoint(checkpoint) if self.log_model => {
                let name = checkpoint.path.file_name().unwrap_or_default().to_string_lossy();
                let contents = Contents::File(checkpoint.path.clone());
                self.send(Operation::Artifact { path: format!("checkpoints/{name}"), contents });
            }
            _ => {
                if let Some(file) = media_file(record, at) {
                    self.send_artifact(file)?;
                }
            }
        }
        Ok(())
    }

    fn state_dict(&self) -> Value {
        json!({ TAG: self.tag })
    }

    fn finalize(&mut self, status: RunStatus) -> Result<()> {
        if let Some(worker) = self.worker.take() {
            let status = match status {
                RunStatus::Success => "FINISHED",
                RunStatus::Failed => "FAILED",
            };
            worker.send(Operation::End { status: status.to_owned(), time: milliseconds() });
            worker.finish(self.patience);
        }
        Ok(())
    }
}

/// Returns a name with the characters that MLflow takes.
fn accepted(name: &str) -> String {
    let is_accepted = |character: char| character.is_alphanumeric() || "_-. :/".contains(character);
    name.chars().map(|character| if is_accepted(character) { character } else { '_' }).collect()
}

/// Returns a text that no other run has.
fn new_tag() -> String {
    let nanoseconds = since_1970(SystemTime::now()).as_nanos();
    let host = sysinfo::System::host_name().unwrap_or_default().replace(['\'', '`'], "_");
    format!("{host}-{}-{nanoseconds:x}", std::process::id())
}

fn milliseconds() -> u64 {
    u64::try_from(since_1970(SystemTime::now()).as_millis()).unwrap_or(u64::MAX)
}
