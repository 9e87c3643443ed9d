//! The trace of a few steps, in the Trace Event Format.

use super::TraceSchedule;
use super::schedule::Phase;
use super::times::{Key, Times};
use crate::atomic_file;
use crate::counted::counted;
use crate::messages;
use crate::native::{OperatorTrace, TracedOperators, steady_nanos};
use serde::Serialize;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// A trace, by its schedule.
pub(super) struct Trace {
    schedule: TraceSchedule,
    /// The next step, from 0.
    step: usize,
    phase: Phase,
    /// The observer of operators, from warm-up on.
    operators: Option<OperatorTrace>,
    ranges: Vec<Range>,
    /// The time from which ranges are recorded.
    since: u64,
    /// The begin of the running step.
    step_began: u64,
    /// Whether a trace was written.
    is_written: bool,
}

/// An action or a step, in nanoseconds.
struct Range {
    name: RangeName,
    began: u64,
    ended: u64,
}

enum RangeName {
    Action(Key),
    Step(usize),
}

/// The recorded steps of one repetition.
pub(crate) struct FinishedTrace {
    repetition: usize,
    ranges: Vec<(String, &'static str, u64, u64)>,
    operators: TracedOperators,
}

impl Trace {
    pub(super) fn new(schedule: TraceSchedule) -> Self {
        Self {
            schedule,
            step: 0,
            phase: Phase::Off,
            operators: None,
            ranges: Vec::new(),
            since: 0,
            step_began: 0,
            is_written: false,
        }
    }

    /// Records an action, if it began in a recorded step.
    pub(super) fn add(&mut self, key: Key, began: u64, ended: u64) {
        if matches!(self.phase, Phase::Active(_)) && began >= self.since {
            self.ranges.push(Range { name: RangeName::Action(key), began, ended });
        }
    }

    /// Begins the next step. Returns the trace that ends before it.
    pub(super) fn begin_step(&mut self, times: &Times) -> Option<FinishedTrace> {
        let now = steady_nanos();
        self.end_step(now);
        let phase = self.schedule.phase(self.step);
        self.step += 1;
        self.step_began = now;
        let before = std::mem::replace(&mut self.phase, phase);
        if before == phase {
            return None;
        }
        let finished = self.finish(before, times);
        if phase != Phase::Off {
            self.observe();
        }
        if matches!(phase, Phase::Active(_)) {
            if let Some(operators) = &self.operators {
                operators.clear();
            }
            self.since = steady_nanos();
            self.step_began = self.since;
        }
        finished
    }

    /// Ends the run, with the trace that is recorded then.
    pub(super) fn end(&mut self, times: &Times) -> Option<FinishedTrace> {
        self.end_step(steady_nanos());
        let before = std::mem::replace(&mut self.phase, Phase::Off);
        let finished = self.finish(before, times);
        self.operators = None;
        if !self.is_written {
            messages::warning!(
                "no trace was written, as the run ended after {}, and the first recorded one would be step {}, counted from 0",
                counted(self.step, "step"),
                self.schedule.first()
            );
        }
        finished
    }

    fn end_step(&mut self, now: u64) {
        if let (Phase::Active(_), Some(step)) = (self.phase, self.step.checked_sub(1)) {
            self.ranges.push(Range { name: RangeName::Step(step), began: self.step_began, ended: now });
        }
    }

    /// Starts to observe operators, if they are not observed already. Without them, the trace has only our own actions.
    fn observe(&mut self) {
        if self.operators.is_none() {
            let started = OperatorTrace::start();
            let warned =
                |error| messages::warning!("the trace has no operators, as libtorch refuses to observe them: {error}");
            self.operators = started.map_err(warned).ok();
        }
    }

    /// Ends a phase, and returns what it recorded.
    fn finish(&mut self, phase: Phase, times: &Times) -> Option<FinishedTrace> {
        let Phase::Active(repetition) = phase else { return None };
        let operators = self.operators.take().map(OperatorTrace::finish).unwrap_or_default();
        let name = |name| match name {
            RangeName::Action(key) => (times.name(key), category(key)),
            RangeName::Step(step) => (format!("ProfilerStep#{step}"), "step"),
        };
        let ranges = std::mem::take(&mut self.ranges).into_iter().map(|range| {
            let (name, category) = name(range.name);
            (name, category, range.began, range.ended)
        });
        self.is_written = true;
        Some(FinishedTrace { repetition, ranges: ranges.collect(), operators })
    }
}

fn category(key: Key) -> &'static str {
    match key {
        Key::Hook(..) => "hook",
        Key::Region(_) => "loop",
        Key::Named(_) => "user",
    }
}

/// An event of the Trace Event Format. Times are in microseconds.
#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    cat: &'a str,
    ph: &'static str,
    ts: f64,
    dur: f64,
    pid: u32,
    tid: u32,
}

/// The name of a process or a thread.
#[derive(Serialize)]
struct Metadata<'a> {
    name: &'static str,
    ph: &'static str,
    pid: u32,
    tid: u32,
    args: Name<'a>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

impl FinishedTrace {
    /// Returns the name of the file of this repetition.
    pub(crate) fn file_name(&self) -> String {
        if self.repetition == 0 { "trace.json".to_owned() } else { format!("trace_{}.json", self.repetition) }
    }

    /// Writes the trace atomically.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        atomic_file::write(path, |file| {
            let mut file = BufWriter::new(file);
            file.write_all(b"{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n")?;
            let pid = std::process::id();
            let process = Metadata { name: "process_name", ph: "M", pid, tid: 0, args: Name { name: "training" } };
            serde_json::to_writer(&mut file, &process)?;
            for (tid, name) in self.operators.threads() {
                let thread = Metadata { name: "thread_name", ph: "M", pid, tid, args: Name { name } };
                file.write_all(b",\n")?;
                serde_json::to_writer(&mut file, &thread)?;
            }
            for event in self.events(pid) {
                file.write_all(b",\n")?;
                serde_json::to_writer(&mut file, &event)?;
            }
            file.write_all(b"\n]}\n")?;
            file.flush()
        })
    }

    /// Returns all events, in the order of their begin. Times count from the first one.
    fn events(&self, pid: u32) -> Vec<Event<'_>> {
        let own = self.operators.own_thread();
        let ranges = self.ranges.iter().map(|(name, cat, began, ended)| (&**name, *cat, *began, *ended, own));
        let operators = self.operators.iter();
        let operators =
            operators.map(|operator| (operator.name, "operator", operator.began, operator.ended, operator.thread));
        let mut all: Vec<_> = ranges.chain(operators).collect();
        // of two that begin together, the longer one is outside
        all.sort_by_key(|(_, _, began, ended, _)| (*began, std::cmp::Reverse(*ended)));
        let origin = all.first().map_or(0, |(_, _, began, ..)| *began);
        let micros = |nanos: u64| nanos as f64 / 1e3;
        let events = all.into_iter().map(|(name, cat, began, ended, tid)| Event {
            name,
            cat,
            ph: "X",
            ts: micros(began - origin),
            dur: micros(ended.saturating_sub(began)),
            pid,
            tid,
        });
        events.collect()
    }
}
