//! Limits the time of calls of c10d that wait for the answer of another process without a limit of their own.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Returns the value of a call; `None` if it does not return in time. Its thread is then left to itself, as nothing can end it.
pub(super) fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, value) = channel();
    thread::spawn(move || sender.send(call()));
    value.recv_timeout(limit).ok()
}
