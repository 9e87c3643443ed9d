/// What the process does about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// The system's own: for those that end a program, its end.
    Default,
    /// Nothing, as of a program that was begun by `nohup` or in the background of a script.
    Ignored,
    /// A handler is called.
    Handled,
}

/// What the process does about a signal at the moment.
#[cfg(unix)]
pub(crate) fn disposition(signal: i32) -> Disposition {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call only writes the present one to a place that is large enough for it.
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

/// What the process does about a signal: where there is no way to ask, nothing of its own.
#[cfg(not(unix))]
pub(crate) fn disposition(_signal: i32) -> Disposition {
    Disposition::Default
}
