//! What a process knows of the other ranks while it computes or waits for them: a thread exchanges signs of life and failures with them.

mod exchange;
mod sign_of_life;

pub(super) use sign_of_life::SignOfLife;

use super::StrategyError;
use super::call::Call;
use super::disagreement::Disagreement;
use super::failure::{Cause, Failure};
use super::operation::{Operation, Position};
use crate::hook::Hook;
use crate::native::{ProcessGroup, Store};
use crate::signal::Caught;
use sign_of_life::Seen;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
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
    /// The position of this rank among the trainer's own operations: a [`Position`].
    position: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The beginning of the keys of the current meeting.
    meeting: String,
    /// The first failure of the current meeting.
    failure: Option<Failure>,
    /// When it was seen, or the store was lost.
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
    /// The number of operations that the user's program has begun in this meeting, and the one that it is in.
    calls: u64,
    call: Option<Call>,
    /// The connections by which calls are compared.
    comparing: Weak<ProcessGroup>,
    /// The connections for all other operations.
    group: Weak<ProcessGroup>,
    /// Whether operations on these connections were interrupted.
    is_interrupted: bool,
    /// The running hook and batch.
    place: (Option<Hook>, Option<usize>),
    /// The error of a store that is gone.
    without_store: String,
}

/// Why an operation of all ranks has failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A rank has reported a failure.
    Failed(Failure),
    /// These ranks show no sign of life.
    Silent(Vec<usize>),
    /// These ranks live, but have not begun the operation, and the place of the first one.
    Absent(Vec<usize>, Option<String>),
    /// The ranks live, but do not call the same operations.
    Disagreement(Disagreement),
    /// The store is gone, with the process that keeps it.
    StoreIsGone,
    /// All ranks live.
    Unknown,
}

/// The time between two signs of life.
const BEAT: Duration = Duration::from_millis(250);

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
            position: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || of_thread.exchange(&store));
        Self { shared }
    }

    /// Begins a meeting, whose keys begin with this. The failures of earlier ones are over.
    pub(super) fn begin_meeting(&self, prefix: String) {
        let mut state = self.shared.lock();
        (state.meeting, state.failure, state.failed) = (prefix, None, None);
        (state.calls, state.call) = (0, None);
        (state.comparing, state.group, state.is_interrupted) = (Weak::new(), Weak::new(), false);
        self.shared.position.store(0, Ordering::Release);
        self.shared.has_failure.store(false, Ordering::SeqCst);
    }

    /// Sets the connections of the operations, and those by which calls are compared: these are closed where this rank does not come to a call
    /// of the others.
    pub(super) fn set_connections(&self, group: &Arc<ProcessGroup>, comparing: &Arc<ProcessGroup>) {
        let mut state = self.shared.lock();
        (state.group, state.comparing) = (Arc::downgrade(group), Arc::downgrade(comparing));
    }

    /// Sets the running hook and batch.
    pub(super) fn set_place(&self, hook: Option<Hook>, batch_idx: Option<usize>) {
        self.shared.lock().place = (hook, batch_idx);
    }

    /// Counts an operation of all ranks, of which this one begins or ends its part.
    #[inline]
    pub(super) fn begin_operation(&self, operation: Operation) {
        // one thread writes
        let position = Position::next_number(self.shared.position.load(Ordering::Relaxed), operation);
        self.shared.position.store(position, Ordering::Release);
    }

    /// Begins an operation of the user's program. Returns the call with its place in the order of all operations.
    pub(super) fn begin_call(&self, call: Call) -> Call {
        let after = Position::of_number(self.shared.position.load(Ordering::Relaxed)).operations;
        let mut state = self.shared.lock();
        state.calls += 1;
        let call = call.at(after, state.calls);
        state.call = Some(call.clone());
        call
    }

    /// Ends the comparison of a call, after which the operation itself is one of those that are counted.
    pub(super) fn end_call(&self) {
        self.shared.lock().call = None;
    }

    /// Sets the error that is printed if the store is gone and this process does not end its run.
    pub(super) fn set_without_store(&self, error: String) {
        self.shared.lock().without_store = error;
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

    /// Whether the first failure was an error of this rank.
    pub(super) fn is_first_to_fail(&self) -> bool {
        let failure = self.shared.lock().failure.clone();
        failure.is_some_and(|failure| failure.rank == self.shared.rank && matches!(failure.cause, Cause::Error(_)))
    }

    /// Returns the error that the ranks do not call the same operations, if it was found.
    pub(super) fn disagreement(&self) -> Option<StrategyError> {
        let failure = self.shared.lock().failure.clone()?;
        matches!(failure.cause, Cause::Disagreement(_)).then(|| failure.into())
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
        if let Some(disagreement) = self.shared.disagreement(&state) {
            return Verdict::Disagreement(disagreement);
        }
        let own = self.shared.sign_of_life(&state, 0);
        let is_absent = |rank: &usize| *rank != self.shared.rank && state.seen[*rank].is_absent(&own);
        let absent: Vec<usize> = (0..self.shared.world_size).filter(is_absent).collect();
        let Some(first) = absent.first() else { return Verdict::Unknown };
        let place = state.seen[*first].sign.as_ref().and_then(|sign| sign.place.clone());
        Verdict::Absent(absent, place)
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

    /// Waits until the others have seen a reported failure.
    pub(super) fn let_others_see(&self) {
        thread::sleep(4 * BEAT);
    }

    /// Waits until all others end, for a limited time: they still read from the store of this process.
    pub(super) fn wait_for_ends(&self) {
        let state = self.look();
        let is_running = |(rank, seen): (usize, &Seen)| {
            let is_silent = seen.since.is_some_and(|since| since.elapsed() > SILENCE);
            let has_not_started = seen.since.is_some() && seen.sign.is_none();
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
}
