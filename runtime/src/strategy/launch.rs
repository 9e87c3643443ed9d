//! Starts the other ranks of a run on this machine.

use super::environment::{Environment, STARTED_BY_RANK_ZERO};
use super::{Rank, StrategyError};
use crate::native;
use crate::signal::Signal;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The processes that this one has started: all ranks but the first. They end when this one does.
pub(super) struct Launched {
    ranks: Vec<Arc<Started>>,
}

/// One of them.
struct Started {
    rank: usize,
    child: Mutex<Child>,
    ended: Mutex<Option<ExitStatus>>,
    has_ended: Condvar,
    /// The threads that print its output.
    output: Mutex<Vec<JoinHandle<()>>>,
}

/// The time that processes have to end by themselves, after one of them has failed.
const GRACE: Duration = Duration::from_secs(5);

/// The time to print the last lines of a process that has ended.
const LAST_LINES: Duration = Duration::from_secs(1);

impl Launched {
    /// Starts this program again, with the same arguments, for each rank but the first.
    pub(super) fn start(first: Rank, port: u16) -> Result<Self, StrategyError> {
        let (started, are_started) = channel();
        // the system takes the end of the thread that has started a process for the end of this one
        thread::spawn(move || {
            let ranks = (1..first.world_size).map(|local| Rank { global: local, local, ..first });
            let ranks = ranks.map(|rank| Started::start(rank, port).map(Arc::new));
            let _ = started.send(ranks.collect::<io::Result<Vec<_>>>());
            loop {
                thread::park();
            }
        });
        let ranks = are_started.recv().map_err(io::Error::other).and_then(|ranks| ranks);
        Ok(Self { ranks: ranks.map_err(StrategyError::Launch)? })
    }

    /// Calls `report` with the rank and the end of each process that fails, as it may not be able to report that itself.
    pub(super) fn watch(&self, report: impl Fn(usize, ExitStatus) + Clone + Send + 'static) {
        for started in &self.ranks {
            let (started, report) = (Arc::clone(started), report.clone());
            thread::spawn(move || {
                let status = started.wait_for_end();
                if !status.success() {
                    report(started.rank, status);
                }
                *started.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
                started.has_ended.notify_all();
            });
        }
    }

    /// Returns how the process of a rank has ended; `None` if it runs, or was not started here.
    pub(super) fn end_of(&self, rank: usize) -> Option<ExitStatus> {
        let started = self.ranks.iter().find(|started| started.rank == rank)?;
        *started.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the processes: after a failure, only for a limited time, and not for those that are `silent`. Returns the rank and the end of
    /// one that has failed.
    pub(super) fn end(&self, has_failed: bool, silent: &[usize]) -> Option<(usize, ExitStatus)> {
        let deadline = has_failed.then(|| Instant::now() + GRACE);
        for started in &self.ranks {
            let is_silent = silent.contains(&started.rank);
            if !started.has_ended_by(if is_silent { Some(Instant::now()) } else { deadline }) {
                // a stopped process obeys no other signal
                let _ = started.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
                started.has_ended_by(Some(Instant::now() + Duration::from_secs(1)));
            }
            started.print_last_lines();
        }
        let mut ends = self.ranks.iter().filter_map(|started| Some((started.rank, self.end_of(started.rank)?)));
        ends.find(|(_, status)| !status.success())
    }
}

impl Started {
    fn start(rank: Rank, port: u16) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(env::args_os().skip(1)).envs(Environment::variables_of(rank, port));
        // those of a launcher that has started this process alone
        for variable in Environment::OF_ATTEMPTS {
            command.env_remove(variable);
        }
        // its end shows the process that this one has ended
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let prefix = format!("[rank {}] ", rank.global);
        let stdout = child.stdout.take().map(|output| pass_on(output, io::stdout(), prefix.clone()));
        let stderr = child.stderr.take().map(|output| pass_on(output, io::stderr(), prefix));
        Ok(Self {
            rank: rank.global,
            child: Mutex::new(child),
            ended: Mutex::new(None),
            has_ended: Condvar::new(),
            output: Mutex::new(stdout.into_iter().chain(stderr).collect()),
        })
    }

    /// Waits for the end of the process. Its lock is not held meanwhile, so that it can be killed.
    fn wait_for_end(&self) -> ExitStatus {
        loop {
            let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
            if let Ok(Some(status)) = status {
                return status;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the process has ended, without a deadline for any time.
    fn has_ended_by(&self, deadline: Option<Instant>) -> bool {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.has_ended.wait_timeout_while(ended, left, |ended| ended.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    /// Waits for the last lines, which another process may hold back that the ended one has started.
    fn print_last_lines(&self) {
        let deadline = Instant::now() + LAST_LINES;
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        while output.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The end of a process in words: `exit code 1`.
pub(super) fn in_words(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

/// The exit code, as a shell shows it.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Returns the signal that has ended the run of a process, or the process.
pub(super) fn signal(status: ExitStatus) -> Option<Signal> {
    Signal::of_number(exit_code(status) - 128)
}

/// Prints the lines of a process with the rank before each.
fn pass_on(output: impl Read + Send + 'static, mut to: impl Write + Send + 'static, prefix: String) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            // one write, so that lines of several processes are not mixed
            let whole = [prefix.as_bytes(), &line].concat();
            if to.write_all(&whole).and_then(|()| to.flush()).is_err() {
                break;
            }
            line.clear();
        }
    })
}

/// Ends a process that rank 0 has started after rank 0, which holds the other end of the standard input.
pub(super) fn follow_rank_zero() {
    if env::var_os(STARTED_BY_RANK_ZERO).is_none() {
        return;
    }
    thread::spawn(|| {
        native::continue_at_end_of_parent();
        let mut nothing = [0; 64];
        while io::stdin().read(&mut nothing).is_ok_and(|length| length > 0) {}
        // the operation that waits for rank 0 fails first, and says so
        thread::sleep(GRACE);
        native::exit_at_once(1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_of_a_process_is_that_of_its_end_or_of_its_exit_code() {
        // as wait(2) gives them
        for (status, expected, said) in [
            (143 << 8, Some(Signal::Terminate), "exit code 143"),
            (15, Some(Signal::Terminate), "signal: 15 (SIGTERM)"),
            (130 << 8, Some(Signal::Interrupt), "exit code 130"),
            (9, None, "signal: 9 (SIGKILL)"),
            (1 << 8, None, "exit code 1"),
        ] {
            let status = ExitStatus::from_raw(status);
            assert_eq!((signal(status), in_words(status).as_str()), (expected, said));
        }
    }
}
