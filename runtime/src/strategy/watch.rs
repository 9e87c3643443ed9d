//! What a process knows of the other ranks while it computes or waits for them: a thread exchanges signs of life and failures with them.

use super::StrategyError;
use super::failure::Failure;
use crate::native::{self, NativeError, Store};
use crate::signal::{Caught, Signal};
use crate::terminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The exchange with the other ranks. It has a connection to the store of its own, so that a store that does not respond blocks nothing else.
pub(super) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    rank: usize,
    world_size: usize,
    /// The beginning of the keys.
    prefix: String,
    /// The longest time to wait for another rank.
    timeout: Duration,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether a rank has failed in the current meeting.
    has_failure: AtomicBool,
    /// The number of operations of all ranks that this one has begun, with both ends of a backward pass.
    operations: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The beginning of the keys of the current meeting.
    meeting: String,
    /// The first failure of the current meeting.
    failure: Option<Failure>,
    /// When it was seen.
    failed: Option<Instant>,
    /// Whether this process is in a run, which is to end after a failure.
    runs: bool,
    /// A failure to report, in this meeting.
    report: Option<(String, Failure)>,
    /// Whether this process ends, of which the others are to know.
    ends: bool,
    has_said_end: bool,
    /// Whether the store is gone.
    is_lost: bool,
    /// When the store responded last.
    responded: Option<Instant>,
    /// The ranks that are being looked at: their last sign of life, and when it was first seen.
    seen: Vec<Seen>,
    looks: bool,
    /// The signals of this process's run.
    caught: Caught,
}

#[derive(Clone, Default)]
struct Seen {
    beat: Option<Vec<u8>>,
    since: Option<Instant>,
    has_changed: bool,
    /// The number of operations that it had begun at first, and now.
    operations: Option<(u64, u64)>,
    has_ended: bool,
}

/// Why an operation of all ranks has failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A rank has reported a failure.
    Failed(Failure),
    /// These ranks show no sign of life.
    Silent(Vec<usize>),
    /// These ranks live, but have not begun the operation.
    Absent(Vec<usize>),
    /// The store is gone, with the process that keeps it.
    StoreIsGone,
    /// All ranks live.
    Unknown,
}

/// The time between two signs of life.
const BEAT: Duration = Duration::from_millis(250);

/// The time between two looks at the others.
const LOOK: Duration = Duration::from_millis(50);

/// A rank without a sign of life for this time does not run.
const SILENCE: Duration = Duration::from_millis(2_000);

impl Watch {
    pub(super) fn start(prefix: &str, (rank, world_size): (usize, usize), timeout: Duration, store: Store) -> Self {
        let shared = Arc::new(Shared {
            rank,
            world_size,
            prefix: prefix.to_owned(),
            timeout,
            state: Mutex::default(),
            changed: Condvar::new(),
            has_failure: AtomicBool::new(false),
            operations: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || of_thread.exchange(&store));
        Self { shared }
    }

    /// Begins a meeting, whose keys begin with this. The failures of earlier ones are over.
    pub(super) fn begin_meeting(&self, prefix: String) {
        let mut state = self.shared.lock();
        (state.meeting, state.failure, state.failed) = (prefix, None, None);
        self.shared.has_failure.store(false, Ordering::SeqCst);
    }

    /// Counts an operation of all ranks, of which this one begins or ends its part.
    #[inline]
    pub(super) fn count_operation(&self) {
        self.shared.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets whether this process is in a run. One that does not end its run after a failure is ended.
    pub(super) fn set_running(&self, runs: bool) {
        self.shared.lock().runs = runs;
    }

    /// Passes signals that another rank has caught on to a run of this process.
    pub(super) fn share_signals(&self, caught: Caught) {
        self.shared.lock().caught = caught;
    }

    /// Whether a rank has failed, or the store is gone.
    #[inline]
    pub(super) fn has_failure(&self) -> bool {
        self.shared.has_failure.load(Ordering::Relaxed)
    }

    /// Returns the failure of another rank.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.shared.lock().failure.clone().filter(|failure| failure.rank != self.shared.rank)
    }

    /// Reports a failure, in this meeting or for all later ones. Returns the first failure, which may be that of another rank.
    pub(super) fn report(&self, failure: Failure, for_all_meetings: bool) -> Failure {
        let mut state = self.shared.lock();
        if let Some(first) = &state.failure {
            return first.clone();
        }
        let prefix = if for_all_meetings { self.shared.prefix.clone() } else { state.meeting.clone() };
        state.report = Some((prefix, failure.clone()));
        self.shared.changed.notify_all();
        let state = self.shared.wait(state, SILENCE, |state| state.failure.is_some() || state.is_lost);
        state.failure.clone().unwrap_or(failure)
    }

    /// Finds out why an operation of all ranks has failed. One that has failed may need a moment to report it.
    pub(super) fn verdict(&self) -> Verdict {
        let begun = Instant::now();
        let state = self.look();
        // others may have reported that this rank does not respond
        let mut state = self.shared.wait(state, SILENCE, |state| state.failure.is_some() || state.is_lost);
        state.looks = false;
        if let Some(failure) = &state.failure {
            return Verdict::Failed(failure.clone());
        }
        if state.is_lost || state.responded.is_none_or(|responded| responded < begun) {
            return Verdict::StoreIsGone;
        }
        let is_silent = |rank: &usize| *rank != self.shared.rank && !state.seen[*rank].has_changed;
        let silent: Vec<usize> = (0..self.shared.world_size).filter(is_silent).collect();
        // those that have ended may have ended by the same fault
        let (ended, killed): (Vec<usize>, Vec<usize>) = silent.iter().partition(|rank| state.seen[**rank].has_ended);
        let silent = if killed.is_empty() { ended } else { killed };
        if !silent.is_empty() {
            return Verdict::Silent(silent);
        }
        let own = self.shared.operations.load(Ordering::Relaxed);
        let is_absent = |rank: &usize| {
            let operations = state.seen[*rank].operations;
            *rank != self.shared.rank && operations.is_some_and(|(at_first, now)| at_first == now && now < own)
        };
        let absent: Vec<usize> = (0..self.shared.world_size).filter(is_absent).collect();
        if absent.is_empty() { Verdict::Unknown } else { Verdict::Absent(absent) }
    }

    /// Begins to look at the other ranks.
    fn look(&self) -> MutexGuard<'_, State> {
        let mut state = self.shared.lock();
        state.seen = vec![Seen::default(); self.shared.world_size];
        state.looks = true;
        self.shared.changed.notify_all();
        state
    }

    /// Tells the others that this process ends.
    pub(super) fn say_end(&self) {
        let mut state = self.shared.lock();
        state.ends = true;
        self.shared.changed.notify_all();
        drop(self.shared.wait(state, SILENCE, |state| state.has_said_end || state.is_lost));
    }

    /// Waits until all others end, for a limited time: they still read from the store of this process.
    pub(super) fn wait_for_ends(&self) {
        let state = self.look();
        let is_running = |(rank, seen): (usize, &Seen)| {
            let is_silent = seen.since.is_some_and(|since| since.elapsed() > SILENCE);
            let has_not_started = seen.since.is_some() && seen.beat.is_none();
            rank != self.shared.rank && !seen.has_ended && !is_silent && !has_not_started
        };
        drop(
            self.shared
                .wait(state, 2 * SILENCE, |state| state.is_lost || !state.seen.iter().enumerate().any(is_running)),
        );
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is true, or the time has passed.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
        is_there: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, time, |state| !is_there(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn exchange(&self, store: &Store) {
        for beat in 0_u64.. {
            let done = self.exchange_once(store, beat);
            let mut state = self.lock();
            if done.is_err() {
                state.is_lost = true;
                self.has_failure.store(true, Ordering::SeqCst);
                self.changed.notify_all();
                break;
            }
            state.responded = Some(Instant::now());
            self.end_if_held_up(&state);
            self.changed.notify_all();
            let (pause, looks) = if state.looks { (LOOK, true) } else { (BEAT, false) };
            let is_urgent = |state: &State| {
                state.report.is_some() || (state.ends && !state.has_said_end) || (state.looks && !looks)
            };
            drop(self.wait(state, pause, is_urgent));
        }
        while self.lock().failed.is_some() {
            let state = self.wait(self.lock(), BEAT, |_| false);
            self.end_if_held_up(&state);
        }
    }

    /// Ends this process if it does not end its run after a failure, as it is held up in a hook. No other may be there to end it.
    fn end_if_held_up(&self, state: &State) {
        let longest = self.timeout + 2 * SILENCE;
        let Some(failure) = state.failure.as_ref().filter(|_| state.runs) else { return };
        if state.failed.is_some_and(|failed| failed.elapsed() > longest) {
            let signal = failure.signal.and_then(Signal::of_number);
            terminal::say(format_args!("error: {}", StrategyError::from(failure.clone())));
            native::exit_at_once(signal.map_or(1, |signal| 128 + signal.number()));
        }
    }

    fn exchange_once(&self, store: &Store, beat: u64) -> Result<(), NativeError> {
        let (meeting, report, ends, looks) = {
            let mut state = self.lock();
            (state.meeting.clone(), state.report.take(), state.ends, state.looks)
        };
        if let Some((prefix, failure)) = report {
            // a process that ended may have reported the reason before
            let first = match Failure::reported(store, &meeting)? {
                Some(first) => first,
                None => failure.report(store, &prefix)?,
            };
            self.see_failure(&meeting, first);
        }
        let operations = self.operations.load(Ordering::Relaxed);
        store.set(&self.key("heartbeat", self.rank), [beat, operations].map(u64::to_le_bytes).as_flattened())?;
        // a process that has ended is missing in all meetings
        let failure = match Failure::reported(store, &meeting)? {
            None => Failure::reported(store, &self.prefix)?,
            failure => failure,
        };
        if let Some(failure) = failure {
            self.see_failure(&meeting, failure);
        }
        if ends {
            store.set(&self.key("end", self.rank), b"")?;
            self.lock().has_said_end = true;
        }
        for rank in (0..self.world_size).filter(|rank| looks && *rank != self.rank) {
            let beat = store.get(&self.key("heartbeat", rank), Duration::ZERO)?;
            let has_ended = store.get(&self.key("end", rank), Duration::ZERO)?.is_some();
            if let Some(seen) = self.lock().seen.get_mut(rank) {
                seen.see(beat, has_ended);
            }
        }
        Ok(())
    }

    fn see_failure(&self, meeting: &str, failure: Failure) {
        let mut state = self.lock();
        if state.meeting != meeting || state.failure.is_some() {
            return;
        }
        if failure.rank != self.rank
            && let Some(signal) = failure.signal.and_then(Signal::of_number)
        {
            state.caught.catch_for_another(signal);
        }
        self.has_failure.store(true, Ordering::SeqCst);
        (state.failure, state.failed) = (Some(failure), Some(Instant::now()));
        self.changed.notify_all();
    }

    fn key(&self, what: &str, rank: usize) -> String {
        format!("{}{what}/{rank}", self.prefix)
    }
}

impl Seen {
    fn see(&mut self, beat: Option<Vec<u8>>, has_ended: bool) {
        self.has_ended = has_ended;
        if let Some(operations) =
            beat.as_deref().and_then(|beat| beat.last_chunk()).map(|bytes| u64::from_le_bytes(*bytes))
        {
            self.operations = Some((self.operations.map_or(operations, |(at_first, _)| at_first), operations));
        }
        if self.since.is_none() {
            (self.beat, self.since) = (beat, Some(Instant::now()));
        } else if beat != self.beat {
            self.has_changed = beat.is_some();
            (self.beat, self.since) = (beat, Some(Instant::now()));
        }
    }
}
