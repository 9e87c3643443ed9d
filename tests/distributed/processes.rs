//! Starts programs that run in several processes, and ends them after a time.

use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest time for a program.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs a program to its end, and returns what it printed.
///
/// # Panics
/// If it does not end in time.
pub fn output(command: &mut Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let watched = child.id();
    let (ended, has_ended) = std::sync::mpsc::channel::<()>();
    let watcher = thread::spawn(move || {
        if has_ended.recv_timeout(LONGEST).is_err() {
            let _ = Command::new("kill").args(["-KILL", &watched.to_string()]).status();
        }
    });
    let begun = Instant::now();
    let output = Child::wait_with_output(child).unwrap();
    let _ = ended.send(());
    watcher.join().unwrap();
    assert!(begun.elapsed() < LONGEST, "it did not end: {}", said(&output));
    output
}

/// Checks each case, three at a time: processes that wait for others, or for a timeout, leave the processor free.
///
/// # Panics
/// If a check does.
pub fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T, IntoIter: Send>, check: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| std::iter::from_fn(next).for_each(&check));
        }
    });
}

/// What a program printed to both streams.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
