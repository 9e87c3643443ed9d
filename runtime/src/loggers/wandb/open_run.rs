//! A run that is being written.

use super::proto::{
    self, Exit, File, Files, Header, History, Item, Kind, Metric, MetricOptions, Run, Step, Timestamp, Update, Version,
};
use super::run_file::RunFile;
use super::values::{Media, item};
use crate::atomic_file;
use crate::loggers::{LoggedAt, RunStatus};
use crate::since_1970::since_1970;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use twox_hash::XxHash3_64;

/// The metric of the horizontal axis, as in Lightning.
const GLOBAL_STEP: &str = "trainer/global_step";

/// A run, and its file.
#[derive(Debug)]
pub(super) struct OpenRun {
    folder: PathBuf,
    file: RunFile,
    id: String,
    /// The number of rows.
    rows: i64,
    began: Duration,
    /// The end of the run in the file, before its last record, if the run has ended.
    ended: Option<(u64, i64)>,
}

/// The state of a run in a checkpoint.
#[derive(Deserialize, Serialize)]
pub(super) struct State {
    /// The name of its folder.
    folder: String,
    id: String,
    bytes: u64,
    records: i64,
    rows: i64,
    began: Duration,
}

impl OpenRun {
    fn new(folder: PathBuf, id: String, bytes: u64, records: i64, rows: i64, began: Duration) -> Self {
        let file = RunFile::new(folder.join(format!("run-{id}.wandb")), bytes, records);
        Self { folder, file, id, rows, began, ended: None }
    }

    /// Begins a run in a folder of its own below `runs`. `described` has what the user says of it.
    pub(super) fn begin(runs: &Path, described: Run) -> io::Result<Self> {
        let began = since_1970(SystemTime::now());
        let id = new_id(began);
        let date = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + began).to_string();
        let date = date.replace(['-', ':', 'Z'], "").replace('T', "_");
        let folder = runs.join(format!("offline-run-{date}-{id}"));
        atomic_file::make_folders(&folder.join("files"))?;
        let mut open = Self::new(folder, id, 0, 0, 0, began);
        open.file.append(vec![
            // `min_consumer` is the one that wandb's client writes
            Kind::Header(Header {
                version: Some(Version {
                    producer: concat!("tch-lightning ", env!("CARGO_PKG_VERSION")).to_owned(),
                    min_consumer: "0.70.0".to_owned(),
                }),
            }),
            Kind::Run(Run {
                run_id: open.id.clone(),
                host: sysinfo::System::host_name().unwrap_or_default(),
                start_time: Some(Timestamp {
                    seconds: i64::try_from(began.as_secs()).unwrap_or(i64::MAX),
                    nanos: i32::try_from(began.subsec_nanos()).unwrap_or(0),
                }),
                ..described
            }),
            Kind::Metric(Metric {
                name: GLOBAL_STEP.to_owned(),
                options: Some(MetricOptions { step_sync: false, defined: true }),
                ..Metric::default()
            }),
            Kind::Metric(Metric {
                glob_name: "*".to_owned(),
                step_metric: GLOBAL_STEP.to_owned(),
                options: Some(MetricOptions { step_sync: true, defined: true }),
                ..Metric::default()
            }),
        ])?;
        Ok(open)
    }

    /// Continues the run of a checkpoint, if it is below `runs`.
    pub(super) fn resumed(runs: &Path, state: &Value) -> Option<Self> {
        let State { folder, id, bytes, records, rows, began } = State::deserialize(state).ok()?;
        // one component: a checkpoint does not choose other folders
        let name = Path::new(&folder).file_name()?;
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let open = Self::new(runs.join(name), id, bytes, records, rows, began);
        (is_plain && open.folder.is_dir()).then_some(open)
    }

    pub(super) fn state(&self) -> State {
        let folder = self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (bytes, records) = self.ended.unwrap_or((self.file.length(), self.file.records()));
        State { folder, id: self.id.clone(), bytes, records, rows: self.rows, began: self.began }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn append(&mut self, records: Vec<Kind>) -> io::Result<()> {
        self.file.append(records)
    }

    pub(super) fn save(&mut self) -> io::Result<()> {
        self.file.save()
    }

    /// Returns the seconds since the run began.
    fn runtime(&self) -> f64 {
        since_1970(SystemTime::now()).saturating_sub(self.began).as_secs_f64()
    }

    /// Appends a row, and the summary with its values.
    pub(super) fn append_row(&mut self, mut items: Vec<Item>, at: &LoggedAt, first: Vec<Kind>) -> io::Result<()> {
        let timestamp = since_1970(SystemTime::now()).as_secs_f64();
        items.extend([
            item(GLOBAL_STEP, &at.step.into()),
            item("_step", &self.rows.into()),
            item("_timestamp", &timestamp.into()),
            item("_runtime", &self.runtime().into()),
        ]);
        let summary = Kind::Summary(Update { items: items.clone() });
        let history = Kind::History(History { items, step: Some(Step { num: self.rows }) });
        self.file.append(first.into_iter().chain([summary, history]).collect())?;
        self.rows += 1;
        Ok(())
    }

    pub(super) fn append_media(&mut self, name: &str, media: &Media, at: &LoggedAt) -> io::Result<()> {
        let path = self.folder.join("files").join(&media.path);
        atomic_file::make_folders(atomic_file::folder_of(&path))?;
        atomic_file::write(&path, |file| file.write_all(&media.contents))?;
        let file = File { path: media.path.display().to_string(), kind: proto::MEDIA };
        self.append_row(vec![item(name, &media.value)], at, vec![Kind::Files(Files { files: vec![file] })])
    }

    /// Removes the end of the run, which continues.
    pub(super) fn reopen(&mut self) {
        if let Some((bytes, records)) = self.ended.take() {
            self.file.shorten(bytes, records);
        }
    }

    pub(super) fn end(&mut self, status: RunStatus) -> io::Result<()> {
        let ended = (self.file.length(), self.file.records());
        #[expect(clippy::cast_possible_truncation, reason = "W&B counts whole seconds")]
        let runtime = self.runtime() as i32;
        self.file.append(vec![Kind::Exit(Exit { exit_code: i32::from(status == RunStatus::Failed), runtime })])?;
        self.ended = Some(ended);
        self.file.save()
    }
}

/// Returns an identifier that no other run has: eight letters and digits, as wandb's client chooses them.
fn new_id(now: Duration) -> String {
    static CREATED: AtomicU64 = AtomicU64::new(0);
    let mut hash = XxHash3_64::new();
    hash.write_u128(now.as_nanos());
    hash.write_u32(std::process::id());
    hash.write_u64(CREATED.fetch_add(1, Ordering::Relaxed));
    hash.write(sysinfo::System::host_name().unwrap_or_default().as_bytes());
    let mut rest = hash.finish();
    let digits = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut digit = || {
        let digit = digits[usize::try_from(rest % 36).unwrap_or(0)];
        rest /= 36;
        char::from(digit)
    };
    (0..8).map(|_| digit()).collect()
}
