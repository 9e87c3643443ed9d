//! Signal handlers: SIGINT and SIGTERM stop a run.

use crate::native::{Disposition, disposition};
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_conditional_shutdown, register_usize};
use signal_hook::low_level::unregister;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A signal that stops a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, sent by a terminal on Ctrl-C.
    Interrupt,
    /// SIGTERM, sent by `kill`, and by schedulers before they stop a job.
    Terminate,
}

impl Signal {
    pub(crate) const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    /// Returns the exit code of a program that the signal ended: 128 plus the signal's number, which is 130 for SIGINT and 143 for
    /// SIGTERM.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// Returns the signal with this number of the system.
    pub(crate) fn of_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.number() == number)
    }

    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Sends SIGINT to this process, as a terminal does on Ctrl-C where it does not pass that key to the program.
#[cfg(feature = "dashboard")]
pub(crate) fn interrupt() -> io::Result<()> {
    signal_hook::low_level::raise(SIGINT)
}

/// A handle to the signal that a run has caught, for code that waits during the run.
#[derive(Clone, Debug, Default)]
pub struct Caught {
    /// The number of the first signal; 0 if none was caught.
    number: Arc<AtomicUsize>,
}

impl Caught {
    /// Records a signal that another process has caught, unless this one has.
    pub(crate) fn catch_for_another(&self, signal: Signal) {
        let number = signal.number() as usize;
        // the first signal counts
        let _ = self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self.number.load(Ordering::Relaxed) {
            0 => None,
            number => Signal::ALL.into_iter().find(|signal| signal.number() as usize == number),
        }
    }
}

/// The signal handlers of one run. Dropping it removes them.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    caught: Caught,
    handlers: Vec<SigId>,
    is_counted: bool,
}

impl Signals {
    /// Installs the handlers. The first signal is recorded, the second ends the process at once. Signals that the process ignores stay
    /// ignored.
    pub(crate) fn catch() -> io::Result<Self> {
        let mut signals = Self::default();
        let was_caught = Arc::new(AtomicBool::new(false));
        let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
        runs.running += 1;
        signals.is_counted = true;
        for signal in Signal::ALL {
            signals.handle(signal, &was_caught, &mut runs)?;
        }
        NO_RUN.store(false, Ordering::SeqCst);
        Ok(signals)
    }

    fn handle(&mut self, signal: Signal, was_caught: &Arc<AtomicBool>, runs: &mut Runs) -> io::Result<()> {
        let number = signal.number();
        let before = disposition(number);
        if before == Disposition::Ignored {
            return Ok(());
        }
        // handlers are called in this order, so that the first signal does not end the process
        let ends = register_conditional_shutdown(number, i32::from(signal.exit_code()), Arc::clone(was_caught));
        self.handlers.push(ends?);
        self.handlers.push(register(number, Arc::clone(was_caught))?);
        self.handlers.push(register_usize(number, Arc::clone(&self.caught.number), number as usize)?);
        if before == Disposition::Default && !runs.restored.contains(&signal) {
            register_conditional_default(number, Arc::clone(&NO_RUN))?;
            runs.restored.push(signal);
        }
        Ok(())
    }

    /// Returns the caught signal.
    #[inline]
    pub(crate) fn caught(&self) -> Option<Signal> {
        self.caught.signal()
    }

    /// Returns a handle to the caught signal, which stays valid after the handlers are removed.
    pub(crate) fn watched(&self) -> Caught {
        self.caught.clone()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        if !self.is_counted {
            return;
        }
        let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
        runs.running -= 1;
        NO_RUN.store(runs.running == 0, Ordering::SeqCst);
        for handler in self.handlers.drain(..) {
            unregister(handler);
        }
    }
}

/// Whether no run catches signals. Removing a handler does not restore the signal's default effect, so that a permanent handler
/// performs it between runs, if this is true.
static NO_RUN: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

static RUNS: Mutex<Runs> = Mutex::new(Runs { running: 0, restored: Vec::new() });

struct Runs {
    running: usize,
    /// The signals with a permanent handler that performs their default effect between runs.
    restored: Vec<Signal>,
}
