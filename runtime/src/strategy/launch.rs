//! Starts the other ranks of a run on this machine.

use super::environment::{Environment, STARTED_BY_RANK_ZERO};
use super::failure::Failure;
use super::world::this_host;
use super::{Rank, StrategyError};
use crate::native::Store;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
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
}

/// The time that processes have to end by themselves, after one of them has failed.
const GRACE: Duration = Duration::from_secs(10);

impl Launched {
    /// Starts this program again, with the same arguments, for each rank but the first.
    pub(super) fn start(first: Rank, port: u16) -> Result<Self, StrategyError> {
        let mut launched = Self { ranks: Vec::new() };
        for local in 1..first.world_size {
            let rank = Rank { global: local, local, ..first };
            launched.ranks.push(Arc::new(Started::start(rank, port).map_err(StrategyError::Launch)?));
        }
        Ok(launched)
    }

    /// Reports the end of a process that fails, as it may not be able to do so itself.
    pub(super) fn watch(&self, store: &Arc<Store>, prefix: &str) {
        for started in &self.ranks {
            let (started, store) = (Arc::clone(started), Arc::clone(store));
            let prefix = prefix.to_owned();
            thread::spawn(move || {
                let status = started.wait_for_end();
                if !status.success() {
                    // its own report says more
                    thread::sleep(Duration::from_millis(200));
                    let cause = format!("the process ended with {status}");
                    Failure { rank: started.rank, host: this_host(), cause }.report(&store, &prefix);
                }
            });
        }
    }

    /// Waits for the processes, and ends those that do not end by themselves.
    pub(super) fn end(&self) {
        let deadline = Instant::now() + GRACE;
        for started in &self.ranks {
            if !started.has_ended_by(deadline) {
                // a stopped process obeys no other signal
                let _ = started.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
                started.has_ended_by(Instant::now() + Duration::from_secs(1));
            }
        }
    }
}

impl Started {
    fn start(rank: Rank, port: u16) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(env::args_os().skip(1)).envs(Environment::variables_of(rank, port));
        // its end tells the process that this one has ended
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let prefix = format!("[rank {}] ", rank.global);
        if let Some(output) = child.stdout.take() {
            pass_on(output, io::stdout(), prefix.clone());
        }
        if let Some(output) = child.stderr.take() {
            pass_on(output, io::stderr(), prefix);
        }
        Ok(Self { rank: rank.global, child: Mutex::new(child), ended: Mutex::new(None), has_ended: Condvar::new() })
    }

    /// Waits for the end of the process. Its lock is not held meanwhile, so that it can be killed.
    fn wait_for_end(&self) -> ExitStatus {
        loop {
            let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
            if let Ok(Some(status)) = status {
                *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
                self.has_ended.notify_all();
                return status;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn has_ended_by(&self, deadline: Instant) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.has_ended.wait_timeout_while(ended, left, |ended| ended.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }
}

/// Prints the lines of a process with the rank before each.
fn pass_on(output: impl Read + Send + 'static, mut to: impl Write + Send + 'static, prefix: String) {
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
    });
}

/// In a process that rank 0 has started: ends it after rank 0, which holds the other end of the standard input.
pub(super) fn end_with_rank_zero() {
    if env::var_os(STARTED_BY_RANK_ZERO).is_none() {
        return;
    }
    thread::spawn(|| {
        let mut nothing = [0; 64];
        while io::stdin().read(&mut nothing).is_ok_and(|length| length > 0) {}
        // the operation that waits for rank 0 fails first, and says so
        thread::sleep(GRACE);
        std::process::exit(1);
    });
}
