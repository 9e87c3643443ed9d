//! `watch`: the screen of the dashboard about a run of another process, from the files in its folder.

use super::ReportError;
use super::rows::{CsvRows, Row, parse_json_line};
use super::run::{self, Problems, RunState, duration_of, modified, state_of, whole};
use super::tail::{Appended, Tail};
use crate::context::{CONFIG, LOGS, versions};
use crate::dashboard::{Action, DashboardState, Mode, Screen, can_be_shown, left_behind, snapshot};
use crate::loggers::{METRICS_CSV, METRICS_JSON_LINES};
use crate::native::Redirected;
use crate::profiler::short_type_name;
use crate::regular_file;
use crate::signal::Signals;
use crate::terminal;
use crate::trainer::{RUN_FILE, RunFile};
use crate::yaml;
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The time between two looks into the folder.
const LOOK: Duration = Duration::from_millis(500);

/// The size of the screen in a pipe.
const COLUMNS: u16 = 100;
const ROWS: u16 = 40;

/// Shows a run: its curves, epochs and progress, on a full screen that follows the run, until `q` is pressed. Where stdout is not a terminal,
/// prints the screen once, as text.
///
/// The folder is that of a run, such as `lightning_logs/version_3`. For a folder that contains runs, the newest one is shown. The run may be
/// running, in any process, or have ended; it is not affected.
///
/// ```no_run
/// tch_lightning::report::watch("lightning_logs")?;
/// # Ok::<(), tch_lightning::report::ReportError>(())
/// ```
///
/// # Errors
/// If the folder cannot be read, does not contain runs, or the terminal cannot be used.
pub fn watch(folder: impl AsRef<Path>) -> Result<(), ReportError> {
    let mut watched = Watched::new(newest_in(folder.as_ref())?);
    watched.look();
    if !io::stdout().is_terminal() || can_be_shown().is_err() {
        let lines = snapshot(&watched.state, COLUMNS, ROWS).join("\n");
        return terminal::print(lines).map_err(|source| ReportError::Screen { source });
    }
    let screen = watched.show().map_err(|source| ReportError::Screen { source })?;
    let _ = terminal::print(screen.join("\n"));
    Ok(())
}

/// Returns the folder of a run: this one, or the newest run in it.
fn newest_in(folder: &Path) -> Result<PathBuf, ReportError> {
    let failed = |source| ReportError::Folder { path: folder.to_owned(), source };
    std::fs::read_dir(folder).map_err(failed)?;
    if run::has_files(folder) {
        return Ok(folder.to_owned());
    }
    let logs = folder.join(LOGS);
    let runs = if logs.is_dir() { &logs } else { folder };
    let newest = versions(runs).pop().map(|(_, run)| run);
    let named = || {
        let entries = std::fs::read_dir(runs).into_iter().flatten().flatten().map(|entry| entry.path());
        entries
            .filter(|path| run::has_files(path))
            .max_by(|one, other| modified(one).partial_cmp(&modified(other)).unwrap_or(Ordering::Equal))
    };
    newest.or_else(named).ok_or_else(|| ReportError::NoRuns { path: folder.to_owned() })
}

/// The run that is shown, with what was read of its files.
struct Watched {
    folder: PathBuf,
    csv: (Tail, CsvRows),
    json_lines: Tail,
    has_config: bool,
    /// The epochs and steps of a run that has ended.
    ended_epochs: Option<usize>,
    ended_steps: Option<usize>,
    last_step: Option<f64>,
    last_epoch: Option<f64>,
    state: DashboardState,
}

impl Watched {
    fn new(folder: PathBuf) -> Self {
        let mut state = DashboardState::new(Mode::Watch, "");
        state.folder = Some(folder.display().to_string());
        Self {
            csv: (Tail::new(folder.join(METRICS_CSV)), CsvRows::default()),
            json_lines: Tail::new(folder.join(METRICS_JSON_LINES)),
            has_config: false,
            ended_epochs: None,
            ended_steps: None,
            last_step: None,
            last_epoch: None,
            state,
            folder,
        }
    }

    /// Shows the run until a key or a signal ends that. Returns the last screen.
    fn show(&mut self) -> io::Result<Vec<String>> {
        let signals = Signals::catch()?;
        let terminal: File = io::stdout().as_fd().try_clone_to_owned()?.into();
        let mut screen = Screen::enter(terminal, Redirected::default())?;
        let mut looked = Instant::now();
        while signals.caught().is_none() {
            if let Some(Action::Quit | Action::Interrupt) = screen.show(&mut self.state)? {
                break;
            }
            if looked.elapsed() >= LOOK {
                self.look();
                looked = Instant::now();
            }
        }
        Ok(left_behind(&mut self.state, screen.size()))
    }

    /// Reads what has changed.
    fn look(&mut self) {
        let mut problems = Vec::new();
        if let Err(error) = std::fs::read_dir(&self.folder) {
            problems.push(format!(
                "warning: the folder can no longer be read, and what it contained before is shown: {error}"
            ));
        }
        self.read_run_file(&mut problems);
        if !self.has_config {
            self.read_config();
        }
        if let Err(error) = self.read_rows() {
            problems.push(format!("warning: the metrics cannot be read: {error}"));
        }
        self.state.say_only(problems);
    }

    fn read_run_file(&mut self, problems: &mut Vec<String>) {
        let mut found = Problems::default();
        let file: Option<RunFile> = found.json(&self.folder.join(RUN_FILE));
        problems.extend(found.0.into_iter().map(|problem| format!("warning: {problem}")));
        let state = state_of(file.as_ref());
        let shown = &mut self.state;
        shown.state = Some(state.as_str().to_owned());
        shown.is_running = state == RunState::Running;
        let Some(file) = file else { return };
        shown.module = short_type_name(&file.module);
        shown.elapsed = duration_of(&file, state, modified(&self.folder));
        if file.ended.is_some() {
            // the last rows may be from before the last steps
            (self.ended_epochs, self.ended_steps) = (file.epochs, file.steps);
        }
        problems.extend(file.reason.map(|reason| match state {
            RunState::Failed | RunState::Interrupted => format!("error: {reason}"),
            _ => reason,
        }));
    }

    /// Reads the end of the run from its configuration, which only generated programs write, and only once.
    fn read_config(&mut self) {
        let Ok(bytes) = regular_file::read(&self.folder.join(CONFIG)) else { return };
        let Ok(table) = yaml::parse(&bytes) else { return };
        let trainer = table.get("trainer");
        let number = |name: &str| usize::try_from(trainer?.get(name)?.as_i64()?).ok();
        (self.state.max_epochs, self.state.max_steps) = (number("max_epochs"), number("max_steps"));
        self.has_config = true;
    }

    fn read_rows(&mut self) -> io::Result<()> {
        // the rows of several loggers are the same
        if self.folder.join(METRICS_CSV).exists() {
            let Appended { lines, from_beginning } = self.csv.0.read()?;
            if from_beginning {
                self.csv.1 = CsvRows::default();
            }
            let mut rows = std::mem::take(&mut self.csv.1);
            self.restart_if(from_beginning);
            let parsed = rows.parse(&lines, |row| self.add(&row));
            self.csv.1 = rows;
            parsed?;
        } else {
            let Appended { lines, from_beginning } = self.json_lines.read()?;
            self.restart_if(from_beginning);
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                parse_json_line(line, |row| self.add(&row));
            }
        }
        let steps = self.ended_steps.or_else(|| whole(self.last_step? + 1.0));
        let position = &mut self.state.position;
        position.step = steps.unwrap_or_default();
        position.epoch = self.ended_epochs.or_else(|| whole(self.last_epoch?)).unwrap_or_default();
        let seconds = self.state.elapsed.map(|elapsed| elapsed.as_secs_f64()).filter(|seconds| *seconds > 0.0);
        self.state.rate = seconds.zip(steps).map(|(seconds, steps)| (steps as f64 / seconds, "steps"));
        Ok(())
    }

    fn restart_if(&mut self, from_beginning: bool) {
        if from_beginning {
            self.state.metrics = Default::default();
            (self.last_step, self.last_epoch) = (None, None);
        }
    }

    fn add(&mut self, row: &Row<'_>) {
        let most = |most: Option<f64>, next: f64| Some(most.map_or(next, |most| most.max(next)));
        if row.step.is_finite() {
            self.last_step = most(self.last_step, row.step);
        }
        if let Some(epoch) = row.epoch.filter(|epoch| epoch.is_finite()) {
            self.last_epoch = most(self.last_epoch, epoch);
        }
        self.state.metrics.add(row.step, row.epoch.and_then(whole), row.values.iter().copied());
    }
}
