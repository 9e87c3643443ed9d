//! Restores a terminal that shows a full screen at each end of the process that runs no destructors: `exit` in users' code or in a library, a
//! panic that aborts, and a signal that nothing else handles.

use super::at_exit::at_exit;
use std::ffi::c_int;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::Duration;

/// The signals that end a process by default. A handler that the program has installed for one of them is left alone.
const ENDING: [c_int; 5] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGABRT];

/// The signals of faults, which have a handler of Rust that reports stack overflows; it is called afterwards.
const FAULTS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// The signals around a stop, as by `kill -TSTP` and `fg`, which change the terminal too.
const STOPS: [c_int; 2] = [libc::SIGTSTP, libc::SIGCONT];

/// Leaves the alternate screen, and shows the cursor.
const LEAVE: &[u8] = b"\x1b[?1049l\x1b[?25h";

/// How long the end of the process waits for the captured lines to be written.
const PATIENCE: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(2);

/// The terminal to restore; null while there is none. Whoever takes the pointer owns it, so that the terminal is restored once.
static SHOWN: AtomicPtr<Shown> = AtomicPtr::new(ptr::null_mut());

/// Whether the process is ending, so that the captured lines are to be written now.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Whether the captured lines were written.
static IS_DRAINED: AtomicBool = AtomicBool::new(false);

/// Whether the process should stop, and whether it has continued.
static IS_TO_STOP: AtomicBool = AtomicBool::new(false);
static HAS_CONTINUED: AtomicBool = AtomicBool::new(false);

/// The streams that are redirected while the screen is shown, to the terminal that they were.
#[derive(Debug, Default)]
pub(crate) struct Redirected {
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
}

/// A terminal that shows a screen, with its state before.
struct Shown {
    terminal: File,
    /// The modes of the terminal from which keys are read.
    modes: Option<(RawFd, libc::termios)>,
    redirected: Redirected,
    /// The signals with a handler of this module, with their actions before.
    actions: Vec<(c_int, libc::sigaction)>,
}

/// Records the state of a terminal, which has not been changed yet. [`restore_screen`] restores it, at the latest at the end of the process.
pub(crate) fn guard_screen(terminal: File, redirected: Redirected) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| at_exit(|_| restore_screen_at_end()));
    let modes = modes(libc::STDIN_FILENO).or_else(|| modes(terminal.as_raw_fd()));
    let mut shown = Box::new(Shown { terminal, modes, redirected, actions: Vec::new() });
    for signal in ENDING.into_iter().chain(FAULTS).chain(STOPS) {
        shown.actions.extend(handle(signal).map(|before| (signal, before)));
    }
    IS_DRAINED.store(shown.redirected.stdout.is_none() && shown.redirected.stderr.is_none(), Ordering::SeqCst);
    IS_TO_STOP.store(false, Ordering::SeqCst);
    HAS_CONTINUED.store(false, Ordering::SeqCst);
    SHOWN.store(Box::into_raw(shown), Ordering::SeqCst);
}

/// Restores the terminal that shows a screen. Returns `false` if there is none, or if it is restored already.
pub(crate) fn restore_screen() -> bool {
    let Some(shown) = take() else { return false };
    // SAFETY: the pointer is that of a box, and was taken by this call alone.
    let shown = unsafe { Box::from_raw(shown) };
    shown.restore_terminal();
    for (signal, before) in &shown.actions {
        // the program may have installed a handler since
        if action(*signal).is_some_and(|now| now.sa_sigaction == handler_of(*signal) as libc::sighandler_t) {
            // SAFETY: the action is one that the system has returned.
            unsafe { libc::sigaction(*signal, before, ptr::null_mut()) };
        }
    }
    true
}

/// Restores the terminal, and waits for a moment until the captured lines are written: the process ends after this.
pub(crate) fn restore_screen_at_end() {
    if let Some(shown) = take() {
        // SAFETY: as above; the box is not dropped, as the process ends.
        unsafe { &*shown }.restore_at_end();
    }
}

/// Whether the screen was restored because the process ends.
pub(crate) fn is_ending() -> bool {
    IS_ENDING.load(Ordering::SeqCst)
}

/// Records that the captured lines were written.
pub(crate) fn set_drained() {
    IS_DRAINED.store(true, Ordering::SeqCst);
}

/// Returns whether a signal asks the process to stop, and resets that.
pub(crate) fn takes_stop() -> bool {
    IS_TO_STOP.swap(false, Ordering::SeqCst)
}

/// Returns whether the process was stopped and continues, and resets that.
pub(crate) fn takes_continuation() -> bool {
    HAS_CONTINUED.swap(false, Ordering::SeqCst)
}

/// Stops the process as Ctrl-Z does, and returns when it continues. The system ignores that for a process without a shell that could continue
/// it.
pub(crate) fn stop_process() {
    let before = set(libc::SIGTSTP, libc::SIG_DFL, 0);
    // SAFETY: raising a signal has no requirements.
    unsafe { libc::raise(libc::SIGTSTP) };
    if let Some(before) = before {
        // SAFETY: the action is one that the system has returned.
        unsafe { libc::sigaction(libc::SIGTSTP, &before, ptr::null_mut()) };
    }
    HAS_CONTINUED.store(false, Ordering::SeqCst);
}

impl Shown {
    fn restore_terminal(&self) {
        // SAFETY: the descriptors are open, and the buffer and the modes are valid for the calls.
        unsafe {
            libc::write(self.terminal.as_raw_fd(), LEAVE.as_ptr().cast(), LEAVE.len());
            if let Some((keys, modes)) = &self.modes {
                libc::tcsetattr(*keys, libc::TCSANOW, modes);
            }
        }
    }

    /// Restores the terminal and the streams, and waits for the captured lines. It calls only what may be called in a signal handler.
    fn restore_at_end(&self) {
        // nothing is drawn from now on
        IS_ENDING.store(true, Ordering::SeqCst);
        self.restore_terminal();
        let redirected =
            [(&self.redirected.stdout, libc::STDOUT_FILENO), (&self.redirected.stderr, libc::STDERR_FILENO)];
        for (stream, number) in redirected {
            if let Some(stream) = stream {
                // SAFETY: both descriptors are open.
                unsafe { libc::dup2(stream.as_raw_fd(), number) };
            }
        }
        wait_until_drained();
    }
}

fn take() -> Option<*mut Shown> {
    let shown = SHOWN.swap(ptr::null_mut(), Ordering::SeqCst);
    (!shown.is_null()).then_some(shown)
}

/// Waits without a lock, for a signal handler.
fn wait_until_drained() {
    let look = libc::timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if IS_DRAINED.load(Ordering::SeqCst) {
            return;
        }
        // SAFETY: the time is valid, and the rest is not requested.
        unsafe { libc::nanosleep(&look, ptr::null_mut()) };
    }
}

extern "C" fn on_end(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: as above; the box is not dropped, as memory must not be freed in a signal handler.
    let shown = take().map(|shown| unsafe { &*shown });
    if let Some(shown) = shown {
        shown.restore_at_end();
    }
    // SAFETY: the system gave the action and the information.
    unsafe {
        let is_fault = FAULTS.contains(&signal) && !info.is_null() && (*info).si_code > 0;
        let before = shown.and_then(|shown| shown.actions.iter().find(|(of, _)| *of == signal)).filter(|_| is_fault);
        match before {
            // the fault comes again when this returns
            Some((_, before)) => _ = libc::sigaction(signal, before, ptr::null_mut()),
            None => {
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
        }
    }
}

extern "C" fn on_stop(signal: c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let flag = if signal == libc::SIGTSTP { &IS_TO_STOP } else { &HAS_CONTINUED };
    flag.store(true, Ordering::SeqCst);
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

fn handler_of(signal: c_int) -> Handler {
    if STOPS.contains(&signal) { on_stop } else { on_end }
}

/// Installs a handler, unless the signal is ignored or, other than that of a fault, has a handler. Returns the action before.
fn handle(signal: c_int) -> Option<libc::sigaction> {
    let before = action(signal)?.sa_sigaction;
    let is_free = before == libc::SIG_DFL || (FAULTS.contains(&signal) && before != libc::SIG_IGN);
    let restarts = if STOPS.contains(&signal) { libc::SA_RESTART } else { 0 };
    let flags = libc::SA_SIGINFO | libc::SA_ONSTACK | restarts;
    if is_free { set(signal, handler_of(signal) as libc::sighandler_t, flags) } else { None }
}

/// Returns the current action of a signal.
fn action(signal: c_int) -> Option<libc::sigaction> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: without a new action the call only writes the current one, if it succeeds.
    unsafe { (libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0).then(|| action.assume_init()) }
}

/// Sets the handler of a signal. Returns the action before.
fn set(signal: c_int, handler: libc::sighandler_t, flags: c_int) -> Option<libc::sigaction> {
    // SAFETY: all bits zero is an action without flags, whose mask is set below.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    (action.sa_sigaction, action.sa_flags) = (handler, flags);
    let mut before = MaybeUninit::uninit();
    // SAFETY: the handler has the signature that the flags name and calls only what may be called in a handler; the call writes `before` if
    // it succeeds.
    unsafe {
        libc::sigemptyset(&mut action.sa_mask);
        (libc::sigaction(signal, &action, before.as_mut_ptr()) == 0).then(|| before.assume_init())
    }
}

fn modes(terminal: RawFd) -> Option<(RawFd, libc::termios)> {
    let mut modes = MaybeUninit::uninit();
    // SAFETY: the call writes `modes` if it succeeds.
    unsafe { (libc::tcgetattr(terminal, modes.as_mut_ptr()) == 0).then(|| (terminal, modes.assume_init())) }
}
