//! A program in a pseudo-terminal, whose screen a test reads.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a screen may take to show what is expected.
const PATIENCE: Duration = Duration::from_secs(180);

/// A program in a terminal.
pub struct PseudoTerminal {
    controller: File,
    terminal: File,
    child: Child,
    parser: Arc<Mutex<vt100::Parser>>,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl PseudoTerminal {
    /// Starts a program with stdin, stdout and stderr on a terminal of this size.
    pub fn start(mut program: Command, rows: u16, columns: u16) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("a usable pseudo-terminal");
        let name = ptsname(&controller, Vec::new()).expect("the name of the terminal");
        let path = Path::new(OsStr::from_bytes(name.to_bytes()));
        let terminal = File::options().read(true).write(true).open(path).expect("the terminal");
        let copy = || terminal.try_clone().expect("another handle of the terminal");
        let controller = File::from(controller);
        resize(&controller, rows, columns);
        program.stdin(copy()).stdout(copy()).stderr(copy());
        let child = program.spawn().expect("the program");
        // the handles of the parent
        drop(program);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 1000)));
        let written = Arc::new(Mutex::new(Vec::new()));
        let (read_from, parsed_by, kept) =
            (controller.try_clone().expect("a handle to read from"), Arc::clone(&parser), Arc::clone(&written));
        let reader = thread::spawn(move || read(read_from, &parsed_by, &kept));
        Self { controller, terminal, child, parser, written, reader: Some(reader) }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).expect("keys are taken");
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        locked(&self.parser).screen_mut().set_size(rows, columns);
        resize(&self.controller, rows, columns);
    }

    /// The process of the program.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The screen.
    pub fn screen(&self) -> vt100::Screen {
        locked(&self.parser).screen().clone()
    }

    /// All that was written so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&locked(&self.written)).into_owned()
    }

    /// The text on the screen.
    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// Waits until the screen's text is as `is_expected` says, and returns it.
    pub fn wait_for(&self, what: &str, is_expected: impl Fn(&str) -> bool) -> String {
        let since = Instant::now();
        loop {
            let text = self.text();
            if is_expected(&text) {
                return text;
            }
            assert!(since.elapsed() < PATIENCE, "the screen does not show {what}:\n{text}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen shows a text, and returns all of it.
    pub fn wait_for_text(&self, wanted: &str) -> String {
        self.wait_for(&format!("`{wanted}`"), |text| text.contains(wanted))
    }

    /// Whether lines are edited by the terminal, as they are outside of a full screen.
    pub fn edits_lines(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("the terminal's modes").local_modes;
        modes.contains(rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO)
    }

    /// Waits for the end of the program. Returns how it ended, and all it wrote.
    pub fn finish(mut self) -> (ExitStatus, Vec<u8>) {
        let status = self.end();
        (status, std::mem::take(&mut locked(&self.written)))
    }

    /// Waits for the end of the program. The screen stays readable.
    pub fn end(&mut self) -> ExitStatus {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program's status") {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "the program does not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        };
        // what is written before the end is read within a moment
        let mut length = 0;
        loop {
            thread::sleep(Duration::from_millis(50));
            let now = locked(&self.written).len();
            if now == length {
                return status;
            }
            length = now;
        }
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // the reader ends when the last handle of the terminal is closed, which this one is
        drop(self.reader.take());
    }
}

fn resize(controller: &File, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(controller, size).expect("a size");
}

fn read(mut controller: File, parser: &Mutex<vt100::Parser>, written: &Mutex<Vec<u8>>) {
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = controller.read(&mut part) {
        locked(parser).process(&part[..length]);
        locked(written).extend_from_slice(&part[..length]);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
