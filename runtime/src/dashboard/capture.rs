//! Takes what the program writes to its terminal while the screen is open: the lines of messages, of `println!` in hooks, and of libraries.
//! They are shown among the messages, and written to the terminal after the screen is closed.

use crate::counted::counted;
use crate::native::{Redirected, is_ending, set_drained};
use crate::terminal;
use rustix::stdio::{dup2_stderr, dup2_stdout};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, PipeReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The number of lines that are kept until the screen is closed, the newest ones.
const MOST_LINES: usize = 2000;

/// The longest line.
const MOST_BYTES: u64 = 1 << 16;

/// How long the end of a capture waits for a child process that holds the pipe.
const PATIENCE: Duration = Duration::from_millis(200);

/// The lines that were written.
#[derive(Default)]
struct Lines {
    lines: VecDeque<String>,
    /// The number of all lines.
    count: usize,
    /// Whether the capture is over: lines of a child process that still has the pipe are written to the terminal.
    is_over: bool,
}

impl Lines {
    fn add(&mut self, line: &[u8]) {
        // a program that redraws its line separates the versions by carriage returns
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
        let line = String::from_utf8_lossy(line).into_owned();
        if self.is_over {
            terminal::say(line);
            return;
        }
        self.count += 1;
        self.lines.push_back(line);
        if self.lines.len() > MOST_LINES {
            self.lines.pop_front();
        }
    }
}

impl Lines {
    /// Ends the capture, and writes the lines to the terminal.
    fn write(&mut self) {
        self.is_over = true;
        let skipped = self.count - self.lines.len();
        if skipped > 0 {
            terminal::say(format_args!("… {} before these are not shown", counted(skipped, "line")));
        }
        for line in std::mem::take(&mut self.lines) {
            terminal::say(line);
        }
    }
}

/// The redirection of stdout and stderr, as far as they are the terminal. Dropping it ends it, and writes the lines to the terminal.
pub(super) struct Capture {
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    lines: Arc<Mutex<Lines>>,
    reader: JoinHandle<()>,
    /// The number of lines that were shown.
    shown: usize,
}

impl Capture {
    /// Redirects stdout and stderr into a pipe. A thread reads it, so that writing never waits for the screen.
    pub(super) fn begin() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let lines = Arc::new(Mutex::new(Lines::default()));
        let read_into = Arc::clone(&lines);
        let name = "dashboard lines".to_owned();
        let reader = thread::Builder::new().name(name).spawn(move || read(reader, &read_into))?;
        // the colours of messages are those of the terminal
        let _ = (console::colors_enabled(), console::colors_enabled_stderr());
        flush();
        let mut capture = Self { stdout: None, stderr: None, lines, reader, shown: 0 };
        if io::stdout().is_terminal() {
            capture.stdout = Some(io::stdout().as_fd().try_clone_to_owned()?);
            dup2_stdout(&writer)?;
        }
        if io::stderr().is_terminal() {
            capture.stderr = Some(io::stderr().as_fd().try_clone_to_owned()?);
            dup2_stderr(&writer)?;
        }
        Ok(capture)
    }

    /// Returns the terminal, to draw to.
    pub(super) fn terminal(&self) -> io::Result<File> {
        match &self.stderr {
            Some(terminal) => Ok(terminal.try_clone()?.into()),
            None => Err(io::Error::other("stderr is not a terminal")),
        }
    }

    /// Returns the streams as they were, for an end of the process that drops nothing.
    pub(super) fn redirected(&self) -> io::Result<Redirected> {
        let copy = |stream: &Option<OwnedFd>| stream.as_ref().map(OwnedFd::try_clone).transpose();
        Ok(Redirected { stdout: copy(&self.stdout)?, stderr: copy(&self.stderr)? })
    }

    /// Returns the lines that were written since the last call, without colours.
    pub(super) fn new_lines(&mut self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let new = lines.count.saturating_sub(self.shown).min(lines.lines.len());
        self.shown = lines.count;
        let new = lines.lines.range(lines.lines.len() - new..);
        new.map(|line| console::strip_ansi_codes(line).into_owned()).collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        flush();
        // the pipe has no writer after this, unless a child process has one
        end(self.stdout.take(), self.stderr.take());
        let since = Instant::now();
        while !self.reader.is_finished() && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).write();
    }
}

/// Ends a redirection.
fn end(stdout: Option<OwnedFd>, stderr: Option<OwnedFd>) {
    if let Some(stdout) = stdout {
        let _ = dup2_stdout(&stdout);
    }
    if let Some(stderr) = stderr {
        let _ = dup2_stderr(&stderr);
    }
}

fn flush() {
    let _ = (io::stdout().flush(), io::stderr().flush());
}

fn read(pipe: PipeReader, lines: &Mutex<Lines>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        // a line without an end does not fill the memory
        let is_read = pipe.by_ref().take(MOST_BYTES).read_until(b'\n', &mut line);
        match is_read {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        lines.lock().unwrap_or_else(PoisonError::into_inner).add(whole);
        line.clear();
    }
    // the streams were restored at the end of the process, which waits for this
    if is_ending() {
        lines.lock().unwrap_or_else(PoisonError::into_inner).write();
        set_drained();
    }
}
