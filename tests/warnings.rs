//! The warnings of a run.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// The lines that a run reports.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The warnings that `run` causes on this thread.
pub fn warnings(run: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let format = tracing_subscriber::fmt().without_time().with_ansi(false).with_target(false);
    let subscriber = format.with_max_level(tracing::Level::WARN).with_writer(lines.clone()).finish();
    tracing::subscriber::with_default(subscriber, run);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().filter_map(|line| Some(line.split_once("WARN ")?.1.to_owned())).collect()
}
