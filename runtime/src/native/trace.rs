use super::NativeError;
use super::boundary::check;
use super::declarations::{
    COperatorTrace, lightning_operator_trace_clear, lightning_operator_trace_start, lightning_operator_trace_stop,
    lightning_operator_trace_visit, lightning_steady_nanos, lightning_thread_number,
};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

/// Returns the time of a clock that never goes back, in nanoseconds since some moment. The times of [`TracedOperators`] are of this
/// clock.
pub(crate) fn steady_nanos() -> u64 {
    // SAFETY: it takes nothing and only reads a clock.
    unsafe { lightning_steady_nanos() }
}

/// Records the operators that all threads call, with their times, until it is finished or dropped.
pub(crate) struct OperatorTrace {
    raw: *mut COperatorTrace,
}

/// The recorded operators.
#[derive(Default)]
pub(crate) struct TracedOperators {
    /// The number of the thread that finished the trace.
    own_thread: u32,
    threads: BTreeMap<u32, String>,
    /// Each name once: there are few of them, and many operators.
    names: Vec<String>,
    indices: BTreeMap<String, usize>,
    operators: Vec<Recorded>,
}

struct Recorded {
    name: usize,
    began: u64,
    ended: u64,
    thread: u32,
}

/// A call of an operator, in [`steady_nanos`].
pub(crate) struct TracedOperator<'a> {
    pub(crate) name: &'a str,
    pub(crate) began: u64,
    pub(crate) ended: u64,
    pub(crate) thread: u32,
}

impl OperatorTrace {
    pub(crate) fn start() -> Result<Self, NativeError> {
        let mut raw = ptr::null_mut();
        // SAFETY: the pointer is valid for the call, and the answer is an entry point's.
        unsafe { check(lightning_operator_trace_start(&raw mut raw)) }?;
        Ok(Self { raw })
    }

    /// Forgets the operators so far, and those that have begun.
    pub(crate) fn clear(&self) {
        // SAFETY: the trace lives as long as `self`, and takes a lock.
        unsafe { lightning_operator_trace_clear(self.raw) };
    }

    /// Returns the operators that have ended.
    pub(crate) fn finish(self) -> TracedOperators {
        unsafe extern "C" fn visit_thread(visitor: *mut c_void, number: u32, name: *const c_char) {
            // SAFETY: the visitor is the value below, which nothing else uses during the visit.
            let traced = unsafe { &mut *visitor.cast::<TracedOperators>() };
            // SAFETY: a C string that lives for the call.
            let name = unsafe { CStr::from_ptr(name) };
            traced.threads.insert(number, name.to_string_lossy().into_owned());
        }
        unsafe extern "C" fn visit(visitor: *mut c_void, name: *const c_char, began: u64, ended: u64, thread: u32) {
            // SAFETY: as above.
            let traced = unsafe { &mut *visitor.cast::<TracedOperators>() };
            // SAFETY: a C string that lives for the call.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
            traced.push(&name, began, ended, thread);
        }
        let mut traced = TracedOperators::default();
        // SAFETY: the trace lives as long as `self`; the visitor is valid for the call.
        unsafe { lightning_operator_trace_visit(self.raw, (&raw mut traced).cast(), visit_thread, visit) };
        // SAFETY: it takes nothing.
        traced.own_thread = unsafe { lightning_thread_number() };
        traced.threads.insert(traced.own_thread, "training".to_owned());
        traced
    }
}

impl Drop for OperatorTrace {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_operator_trace_start`, and not used again.
        unsafe { lightning_operator_trace_stop(self.raw) };
    }
}

impl TracedOperators {
    fn push(&mut self, name: &str, began: u64, ended: u64, thread: u32) {
        let index = self.indices.get(name).copied().unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.indices.insert(name.to_owned(), self.names.len() - 1);
            self.names.len() - 1
        });
        self.operators.push(Recorded { name: index, began, ended, thread });
    }

    /// The number of the thread that finished the trace.
    pub(crate) fn own_thread(&self) -> u32 {
        self.own_thread
    }

    /// The numbers of the threads, with their names.
    pub(crate) fn threads(&self) -> impl Iterator<Item = (u32, &str)> {
        self.threads.iter().map(|(number, name)| (*number, name.as_str()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = TracedOperator<'_>> {
        self.operators.iter().map(|recorded| TracedOperator {
            name: &self.names[recorded.name],
            began: recorded.began,
            ended: recorded.ended,
            thread: recorded.thread,
        })
    }
}
