//! The signals that ask a run to end.

use crate::native::{Disposition, disposition};
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_conditional_shutdown, register_usize};
use signal_hook::low_level::unregister;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A signal that asks a run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, which a terminal sends for Ctrl-C.
    Interrupt,
    /// SIGTERM, which `kill` sends, and a scheduler before it takes a machine away.
    Terminate,
}

impl Signal {
    const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    /// The exit code of a program that the signal ended, 128 plus the signal's number: 130 for SIGINT, 143 for SIGTERM.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    fn number(self) -> i32 {
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

/// The signal that a run has caught, if any, for those who wait for something in it.
#[derive(Clone, Debug, Default)]
pub struct Caught {
    /// The number of the signal that came first; 0 before.
    number: Arc<AtomicUsize>,
}

impl Caught {
    #[inline]
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self.number.load(Ordering::Relaxed) {
            0 => None,
            number => Signal::ALL.into_iter().find(|signal| signal.number() as usize == number),
        }
    }
}

/// The handlers of one run, which are taken away with it.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    caught: Caught,
    handlers: Vec<SigId>,
    is_counted: bool,
}

impl Signals {
    /// Catches the signals from now on. The first is noted, the second ends the process at once. What the process ignores it goes
    /// on ignoring.
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
        // called in this order, so that the first signal finds nothing caught
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

    /// The signal that was caught.
    #[inline]
    pub(crate) fn caught(&self) -> Option<Signal> {
        self.caught.signal()
    }

    /// The caught signal, available even after the handlers are removed.
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

/// Whether no run catches signals. A handler that was taken away leaves the signal without effect, so that another one, which
/// stays, does between the runs what the system did before the first.
static NO_RUN: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

static RUNS: Mutex<Runs> = Mutex::new(Runs { running: 0, restored: Vec::new() });

struct Runs {
    running: usize,
    /// The signals whose own effect comes back between the runs.
    restored: Vec<Signal>,
}
