/// The reaction of the process to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The system's default.
    Default,
    /// None, as in a program started by `nohup` or in the background of a script.
    Ignored,
    /// A handler is called.
    Handled,
}

/// Returns the current reaction of the process to a signal.
#[cfg(unix)]
pub(crate) fn disposition(signal: i32) -> Disposition {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call only writes the current one to `action`.
    let answer = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    if answer != 0 {
        return Disposition::Handled;
    }
    // SAFETY: the call succeeded, hence has written it.
    match unsafe { action.assume_init() }.sa_sigaction {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignored,
        _ => Disposition::Handled,
    }
}

/// Returns the default, since the reaction to a signal is only known on Unix.
#[cfg(not(unix))]
pub(crate) fn disposition(_signal: i32) -> Disposition {
    Disposition::Default
}
