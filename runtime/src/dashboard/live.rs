//! The dashboard of the run of this process, which a thread draws.

use super::capture::Capture;
use super::keys::Action;
use super::screen::Screen;
use super::state::{DashboardState, Memory, Mode};
use super::text::left_behind;
use crate::native::memory_stats;
use crate::observer::{Observer, Position, Request};
use crate::signal::{Caught, interrupt};
use crate::{messages, panic, terminal};
use anyhow::{Context as _, Result};
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tch::Device;

/// The rows that wait for the thread. If it is stopped, as by a terminal that takes nothing, later ones are lost rather than waited for.
const MOST_ROWS: usize = 1 << 14;

/// The time between two messages about the shares of the time, short enough for a run of seconds.
const TIMES: Duration = Duration::from_millis(100);
/// The time between two looks at the memory of the GPU.
const MEMORY: Duration = Duration::from_millis(500);

/// The time over which the rate is measured.
const RATE: Duration = Duration::from_secs(20);

/// What is known of a run when it begins.
pub(crate) struct Plan {
    pub(crate) module: String,
    pub(crate) folder: Option<String>,
    pub(crate) max_epochs: Option<usize>,
    pub(crate) max_steps: Option<usize>,
    pub(crate) device: Device,
    /// The position from which the run begins.
    pub(crate) from: Position,
    pub(crate) caught: Caught,
}

/// What the run and the thread share. The run never waits for a lock.
#[derive(Default)]
struct Shared {
    position: Mutex<Position>,
    folder: Mutex<Option<String>>,
    shares: Mutex<Option<Vec<(&'static str, f64)>>>,
    stop: AtomicBool,
    checkpoint: AtomicBool,
    validate: AtomicBool,
    is_over: AtomicBool,
}

impl Shared {
    fn request(&self, request: Request) -> &AtomicBool {
        match request {
            Request::Stop => &self.stop,
            Request::Checkpoint => &self.checkpoint,
            Request::Validate => &self.validate,
        }
    }
}

/// A row of logged values.
struct Row {
    values: Vec<(String, f64)>,
    step: usize,
    epoch: usize,
}

/// The observer of the run that a dashboard shows. Dropping it closes the dashboard, which leaves its last screen behind.
pub(crate) struct Live {
    shared: Arc<Shared>,
    rows: SyncSender<Row>,
    times_at: Instant,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Takes the screen of the terminal.
    ///
    /// # Errors
    /// If the terminal cannot be used.
    pub(crate) fn begin(plan: Plan) -> io::Result<Self> {
        let shared = Arc::new(Shared { position: Mutex::new(plan.from), ..Shared::default() });
        let (rows, received) = sync_channel(MOST_ROWS);
        let capture = Capture::begin()?;
        let screen = Screen::enter(capture.terminal()?, capture.redirected()?)?;
        let of_thread = Arc::clone(&shared);
        terminal::set_taken(true);
        let thread = thread::Builder::new().name("dashboard".to_owned()).spawn(move || {
            let outcome = panic::catch(|| LiveView::new(plan, screen, capture, &of_thread, received).run());
            // by now the terminal is restored, also after a panic
            terminal::set_taken(false);
            if let Err(error) = outcome {
                messages::warning!("the dashboard is closed, and the run continues without it: {error:#}");
            }
        });
        let thread = thread.inspect_err(|_| terminal::set_taken(false))?;
        Ok(Self { shared, rows, times_at: Instant::now(), thread: Some(thread) })
    }

    fn is_open(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Observer for Live {
    fn at(&mut self, position: Position) {
        if let Ok(mut shared) = self.shared.position.try_lock() {
            *shared = position;
        }
    }

    fn folder(&mut self, folder: &Path) {
        if let Ok(mut shared) = self.shared.folder.try_lock() {
            *shared = Some(folder.display().to_string());
        }
    }

    fn logged(&mut self, row: &[(String, f64)], step: usize, epoch: usize) {
        let _ = self.rows.try_send(Row { values: row.to_vec(), step, epoch });
    }

    fn wants_times(&self) -> bool {
        self.times_at.elapsed() >= TIMES && self.is_open()
    }

    fn times(&mut self, shares: Vec<(&'static str, f64)>) {
        self.times_at = Instant::now();
        if let Ok(mut shared) = self.shared.shares.try_lock() {
            *shared = Some(shares);
        }
    }

    fn takes(&mut self, request: Request) -> bool {
        let request = self.shared.request(request);
        // most often there is none, which a load finds at less cost than a swap
        request.load(Ordering::Relaxed) && request.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The dashboard in its thread. The order of the fields is that in which they are dropped: the lines that were captured are written to the
/// restored terminal.
struct LiveView<'a> {
    screen: Screen,
    capture: Capture,
    state: DashboardState,
    shared: &'a Shared,
    rows: Receiver<Row>,
    caught: Caught,
    device: Device,
    began: Instant,
    rate: Rate,
    memory_at: Option<Instant>,
}

impl<'a> LiveView<'a> {
    fn new(plan: Plan, screen: Screen, capture: Capture, shared: &'a Shared, rows: Receiver<Row>) -> Self {
        let Plan { module, folder, max_epochs, max_steps, device, from, caught } = plan;
        let mut state = DashboardState::new(Mode::Live, &module);
        (state.folder, state.max_epochs, state.max_steps, state.position) = (folder, max_epochs, max_steps, from);
        state.done_before = state.done().unwrap_or_default();
        let began = Instant::now();
        let rate = Rate::default();
        Self { screen, capture, state, shared, rows, caught, device, began, rate, memory_at: None }
    }

    /// Shows the run until its end, or until a key or a signal closes the screen.
    fn run(mut self) -> Result<()> {
        loop {
            let is_over = self.shared.is_over.load(Ordering::Acquire);
            self.update();
            // a second signal ends the process at once, which must find the terminal restored
            if is_over || self.caught.signal().is_some() {
                self.close();
                return Ok(());
            }
            match self.screen.show(&mut self.state).context("cannot draw")? {
                Some(Action::Request(request)) => self.shared.request(request).store(true, Ordering::Release),
                Some(Action::Quit) => return Ok(()),
                Some(Action::Interrupt) => {
                    // before the screen is closed, which takes a moment: the run may be over by then
                    interrupt()?;
                    self.close();
                    return Ok(());
                }
                None => {}
            }
        }
    }

    /// Takes over what has happened since the last time.
    fn update(&mut self) {
        let state = &mut self.state;
        let before = state.position;
        state.position = *self.shared.position.lock().unwrap_or_else(PoisonError::into_inner);
        if state.position.total_batches != before.total_batches || state.position.evaluated != before.evaluated {
            state.notice = None;
        }
        state.elapsed = Some(self.began.elapsed());
        state.rate = self.rate.at(state.position.total_batches).map(|rate| (rate, "batches"));
        for Row { values, step, epoch } in self.rows.try_iter() {
            let values = values.iter().map(|(name, value)| (name.as_str(), *value));
            state.metrics.add(step as f64, Some(epoch), values);
        }
        if let Some(folder) = self.shared.folder.lock().unwrap_or_else(PoisonError::into_inner).take() {
            state.folder = Some(folder);
        }
        if let Some(shares) = self.shared.shares.lock().unwrap_or_else(PoisonError::into_inner).take() {
            state.shares = shares;
        }
        self.capture.new_lines().into_iter().for_each(|line| state.say(line));
        if self.device.is_cuda() && self.memory_at.is_none_or(|at| at.elapsed() >= MEMORY) {
            state.memory = memory(self.device);
            self.memory_at = Some(Instant::now());
        }
    }

    /// Closes the screen, and leaves its contents behind, before the messages, which are written as a whole.
    fn close(self) {
        let Self { screen, capture, mut state, .. } = self;
        let size = screen.size();
        drop(screen);
        if let Ok(mut terminal) = capture.terminal() {
            let _ = writeln!(terminal, "{}", left_behind(&mut state, size).join("\n"));
        }
        drop(capture);
    }
}

/// Returns the memory that libtorch uses on a GPU.
fn memory(device: Device) -> Option<Memory> {
    let stats = memory_stats(device).ok()?;
    let value = |name: &str| {
        let value = stats.iter().find(|(known, _)| known == name)?.1;
        u64::try_from(value).ok()
    };
    Some(Memory { allocated: value("allocated_bytes.all.current")?, reserved: value("reserved_bytes.all.current")? })
}

/// The batches per second of the last seconds.
#[derive(Default)]
struct Rate {
    counts: VecDeque<(Instant, usize)>,
}

impl Rate {
    fn at(&mut self, count: usize) -> Option<f64> {
        let now = Instant::now();
        // one count for each quarter of a second is enough
        if self.counts.back().is_none_or(|(at, _)| now - *at >= Duration::from_millis(250)) {
            self.counts.push_back((now, count));
        }
        while self.counts.len() > 2 && self.counts.front().is_some_and(|(at, _)| now - *at > RATE) {
            self.counts.pop_front();
        }
        let (since, before) = *self.counts.front()?;
        let seconds = (now - since).as_secs_f64();
        (seconds >= 0.5 && count > before).then(|| (count - before) as f64 / seconds)
    }
}
