//! The full screen of a terminal.

use super::draw::draw;
use super::keys::Action;
use super::state::DashboardState;
use crate::native::{
    Redirected, guard_screen, is_ending, restore_screen, stop_process, takes_continuation, takes_stop,
};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{cursor, execute};
use ratatui::layout::Rect;
use rustix::termios::tcgetwinsize;
use std::env;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The size of a terminal that does not know its own.
const UNKNOWN: (u16, u16) = (80, 24);

/// The largest part of a terminal that is drawn to. A terminal may say that it has any size, for which there may not be the memory.
const MOST: (u16, u16) = (1000, 500);

/// How long the screen stays as it is, unless a key is pressed: drawing must not take the processors from the training.
const REDRAW: Duration = Duration::from_millis(250);

/// Returns why a full screen cannot be shown on stderr.
pub(crate) fn can_be_shown() -> Result<(), &'static str> {
    match () {
        () if !io::stderr().is_terminal() => Err("stderr is not a terminal"),
        () if env::var_os("TERM").is_none_or(|term| term == "dumb") => {
            Err("the environment variable TERM is dumb or not set")
        }
        () => Ok(()),
    }
}

/// The largest number of bytes that are written at once, which most frames have less of: what the end of the process writes does not come
/// between the bytes of one write.
const FRAME: usize = 1 << 16;

/// The terminal as frames are written to it: no longer when it is restored because the process ends, even if a frame is half written.
struct Frames(File);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        park_at_the_end();
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Stops this thread for ever once the terminal is restored because the process ends.
fn park_at_the_end() {
    while is_ending() {
        std::thread::park();
    }
}

/// A terminal with the full screen. Dropping it restores the terminal.
pub(crate) struct Screen {
    terminal: CrosstermBackend<BufWriter<Frames>>,
    file: File,
    /// What the terminal shows, in its size; `None` if that is not known.
    shown: Option<Buffer>,
    drawn: Option<Instant>,
    has_keys: bool,
}

impl Screen {
    /// Takes the screen of a terminal.
    pub(crate) fn enter(file: File, redirected: Redirected) -> io::Result<Self> {
        let terminal = CrosstermBackend::new(BufWriter::with_capacity(FRAME, Frames(file.try_clone()?)));
        guard_screen(file.try_clone()?, redirected);
        let mut screen = Self { terminal, file, shown: None, drawn: None, has_keys: false };
        screen.take()?;
        Ok(screen)
    }

    /// Takes the screen and the keys.
    fn take(&mut self) -> io::Result<()> {
        // keys need a terminal to read from
        self.has_keys = enable_raw_mode().is_ok();
        self.shown = None;
        execute!(self.file, EnterAlternateScreen, cursor::Hide)
    }

    /// Gives the terminal to the shell while the process is stopped.
    fn stop(&mut self) -> io::Result<()> {
        execute!(self.file, LeaveAlternateScreen, cursor::Show)?;
        let _ = disable_raw_mode();
        stop_process();
        self.take()
    }

    /// The columns and rows.
    pub(crate) fn size(&self) -> (u16, u16) {
        let size = size(&self.file);
        (size.width, size.height)
    }

    /// Draws the state, and waits for a key for a moment. Returns what it does other than changing the view.
    pub(crate) fn show(&mut self, state: &mut DashboardState) -> io::Result<Option<Action>> {
        park_at_the_end();
        if takes_stop() {
            self.stop()?;
        }
        if takes_continuation() {
            // after a stop that could not be prepared for, the shell has changed the modes
            let _ = disable_raw_mode();
            self.take()?;
        }
        let size = size(&self.file);
        if self.shown.as_ref().is_none_or(|shown| shown.area != size) {
            self.terminal.clear()?;
            self.shown = Some(Buffer::empty(size));
            self.drawn = None;
        }
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            let mut next = Buffer::empty(size);
            draw(&mut next, state);
            if let Some(shown) = &self.shown {
                self.terminal.draw(shown.diff(&next).into_iter())?;
                Backend::flush(&mut self.terminal)?;
            }
            (self.shown, self.drawn) = (Some(next), Some(Instant::now()));
        }
        self.key(state)
    }

    fn key(&mut self, state: &mut DashboardState) -> io::Result<Option<Action>> {
        let wait = Duration::from_millis(50);
        if !self.has_keys {
            std::thread::sleep(wait);
            return Ok(None);
        }
        match event::poll(wait) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(_) => {
                self.has_keys = false;
                return Ok(None);
            }
        }
        self.drawn = None;
        match event::read()? {
            Event::Key(key) if is_ctrl_z(&key) => self.stop().map(|()| None),
            Event::Key(key) => Ok(state.press(key)),
            _ => Ok(None),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if restore_screen() {
            let _ = disable_raw_mode();
        }
    }
}

fn is_ctrl_z(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL) && key.kind == KeyEventKind::Press
}

fn size(terminal: &File) -> Rect {
    let size = tcgetwinsize(terminal).map(|size| (size.ws_col, size.ws_row)).unwrap_or_default();
    let (columns, rows) = if size.0 == 0 || size.1 == 0 { UNKNOWN } else { size };
    Rect::new(0, 0, columns.min(MOST.0), rows.min(MOST.1))
}
