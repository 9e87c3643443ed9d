//! The thread that exchanges signs of life and failures with the other ranks.

use super::sign_of_life::SignOfLife;
use super::{BEAT, SILENCE, Shared, State};
use crate::hook::Hook;
use crate::native::{self, NativeError, Store};
use crate::signal::Signal;
use crate::strategy::disagreement::Disagreement;
use crate::strategy::failure::{Cause, Failure};
use crate::strategy::operation::Position;
use crate::strategy::{StrategyError, introduction};
use crate::terminal;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The time between two looks at the others.
const LOOK: Duration = Duration::from_millis(50);

/// The time without progress after which rank 0 looks whether the others call the same operations, and between two such looks.
const STANDSTILL: Duration = Duration::from_millis(1_000);

/// The time that operations of the others have to fail by themselves after a failure.
const LAST_ANSWERS: Duration = Duration::from_millis(1_000);

/// The time that a run has to end by itself after a disagreement: a rank that waits in an operation of c10d cannot be called back.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Shared {
    pub(super) fn exchange(&self, store: &Store) {
        let mut standstill = Standstill::default();
        for beat in 0_u64.. {
            let done = self.exchange_once(store, beat, &mut standstill);
            let mut state = self.lock();
            if done.is_err() {
                state.is_lost = true;
                state.failed.get_or_insert_with(Instant::now);
                self.has_failure.store(true, Ordering::SeqCst);
                self.changed.notify_all();
                break;
            }
            state.responded = Some(Instant::now());
            self.end_if_held_up(&state);
            self.interrupt_operations(state);
            self.changed.notify_all();
            let state = self.lock();
            let (pause, looks) = if state.looks { (LOOK, true) } else { (BEAT, false) };
            let is_urgent = |state: &State| {
                state.report.is_some() || (state.ends && !state.has_said_end) || (state.looks && !looks)
            };
            drop(self.wait(state, pause, is_urgent));
        }
        loop {
            let state = self.wait(self.lock(), BEAT, |_| false);
            self.end_if_held_up(&state);
        }
    }

    /// Ends the operations in which this process waits for one that has failed. Its end closes its connections, unless another process keeps
    /// them open that it has started, or it does not end.
    fn interrupt_operations(&self, mut state: MutexGuard<'_, State>) {
        let is_due = state.failed.is_some_and(|failed| failed.elapsed() > LAST_ANSWERS);
        if !is_due || state.is_interrupted || !state.runs {
            return;
        }
        state.is_interrupted = true;
        let groups = [state.group.upgrade(), state.comparing.upgrade()];
        // to free a group may wait for its operations
        drop(state);
        groups.iter().flatten().for_each(|group| group.interrupt());
    }

    /// Ends this process if it does not end its run after a failure, as it is held up in a hook. No other may be there to end it.
    fn end_if_held_up(&self, state: &State) {
        let Some(failed) = state.failed.filter(|_| state.runs) else { return };
        let (longest, error, code) = match &state.failure {
            // rank 0 learns of it when the others have ended
            Some(Failure { cause: Cause::Disagreement(text), .. }) => {
                (LAST_WORDS + if self.rank == 0 { 2 * SILENCE } else { Duration::ZERO }, text.clone(), 1)
            }
            // the others have waited for it for the whole time
            Some(failure) if failure.rank == self.rank => {
                (LAST_ANSWERS, StrategyError::from(failure.clone()).to_string(), 1)
            }
            Some(failure) => {
                let signal = failure.signal.and_then(Signal::of_number);
                let code = signal.map_or(1, |signal| 128 + signal.number());
                (self.timeout + 2 * SILENCE, StrategyError::from(failure.clone()).to_string(), code)
            }
            None => (self.timeout + 2 * SILENCE, state.without_store.clone(), 1),
        };
        if failed.elapsed() > longest {
            terminal::say(format_args!("error: {error}"));
            native::exit_at_once(code);
        }
    }

    fn exchange_once(&self, store: &Store, beat: u64, standstill: &mut Standstill) -> Result<(), NativeError> {
        let (meeting, report, ends, looks, sign) = {
            let mut state = self.lock();
            let report = state.report.take();
            (state.meeting.clone(), report, state.ends, state.looks, self.sign_of_life(&state, beat))
        };
        if let Some((prefix, failure)) = report {
            // a process that ended may have reported the reason before
            let first = match Failure::reported(store, &meeting)? {
                Some(first) => first,
                None => failure.report(store, &prefix)?,
            };
            self.see_failure(&meeting, first);
        }
        if let Ok(sign) = serde_json::to_vec(&sign) {
            store.set(&self.key("heartbeat", self.rank), &sign)?;
        }
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
            let sign = self.sign_of(store, rank)?;
            let has_ended = store.get(&self.key("end", rank), Duration::ZERO)?.is_some();
            if let Some(seen) = self.lock().seen.get_mut(rank) {
                seen.see(sign, has_ended);
            }
        }
        // one rank looks for all
        if self.rank == 0 && standstill.is_due(&sign) && !self.has_failure.load(Ordering::Relaxed) {
            self.look_for_disagreement(store, sign)?;
        }
        Ok(())
    }

    /// Reports that the ranks do not call the same operations, if their signs of life show it.
    fn look_for_disagreement(&self, store: &Store, own: SignOfLife) -> Result<(), NativeError> {
        let mut signs = Vec::new();
        for rank in (0..self.world_size).filter(|rank| *rank != self.rank) {
            signs.extend(self.sign_of(store, rank)?.map(|sign| (rank, sign)));
        }
        let meeting = own.meeting.clone();
        signs.push((self.rank, own));
        if let Some(disagreement) = Disagreement::of_signs(&signs) {
            let failure = Failure::of_disagreement(self.rank, introduction::this_host(), disagreement);
            self.see_failure(&meeting, failure.report(store, &meeting)?);
        }
        Ok(())
    }

    /// Returns how the ranks differ that were looked at.
    pub(super) fn disagreement(&self, state: &State) -> Option<Disagreement> {
        let others = state.seen.iter().enumerate().filter(|(rank, _)| *rank != self.rank);
        let others = others.filter_map(|(rank, seen)| Some((rank, seen.sign.clone()?)));
        let signs: Vec<_> = others.chain([(self.rank, self.sign_of_life(state, 0))]).collect();
        Disagreement::of_signs(&signs)
    }

    fn sign_of(&self, store: &Store, rank: usize) -> Result<Option<SignOfLife>, NativeError> {
        let sign = store.get(&self.key("heartbeat", rank), Duration::ZERO)?;
        Ok(sign.and_then(|sign| serde_json::from_slice(&sign).ok()))
    }

    pub(super) fn sign_of_life(&self, state: &State, beat: u64) -> SignOfLife {
        // before the calls, which have not become fewer since
        let Position { operations, recent } = Position::of_number(self.position.load(Ordering::Acquire));
        SignOfLife {
            beat,
            meeting: state.meeting.clone(),
            operations,
            recent: recent.iter().map(ToString::to_string).collect(),
            calls: state.calls,
            call: state.call.clone(),
            place: in_words(state.place),
        }
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
        // the others wait for this rank in a call to which it does not come
        let is_awaited = matches!(failure.cause, Cause::Disagreement(_)) && state.call.is_none();
        let comparing = state.comparing.upgrade().filter(|_| is_awaited);
        self.has_failure.store(true, Ordering::SeqCst);
        (state.failure, state.failed) = (Some(failure), Some(Instant::now()));
        self.changed.notify_all();
        drop(state);
        if let Some(comparing) = comparing {
            comparing.close();
        }
    }

    fn key(&self, what: &str, rank: usize) -> String {
        format!("{}{what}/{rank}", self.prefix)
    }
}

/// The place of a run: `training_step` at batch 3.
fn in_words((hook, batch_idx): (Option<Hook>, Option<usize>)) -> Option<String> {
    let batch = batch_idx.map_or_else(String::new, |batch_idx| format!(" at batch {batch_idx}"));
    hook.map(|hook| format!("`{}`{batch}", hook.name()))
}

/// Since when this rank has not begun an operation.
#[derive(Default)]
struct Standstill {
    at: (u64, u64),
    since: Option<Instant>,
}

impl Standstill {
    /// Whether it has stood still for long enough to look at the others, again.
    fn is_due(&mut self, sign: &SignOfLife) -> bool {
        let at = (sign.operations, sign.calls);
        let is_due = self.at == at && self.since.is_some_and(|since| since.elapsed() > STANDSTILL);
        if is_due || self.at != at {
            (self.at, self.since) = (at, Some(Instant::now()));
        }
        is_due
    }
}
