use super::NativeError;
use super::boundary::check;
use super::declarations::{CRecord, lightning_record_start, lightning_record_stop, lightning_record_visit};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr;

/// Counts the operators that this thread calls, until it is dropped.
pub(crate) struct Record {
    raw: *mut CRecord,
    /// Not `Send`: it must be dropped on its own thread.
    _of_this_thread: PhantomData<*mut ()>,
}

impl Record {
    pub(crate) fn start() -> Result<Self, NativeError> {
        let mut raw = ptr::null_mut();
        // SAFETY: the pointer is valid for the call, and the answer is an entry point's.
        unsafe { check(lightning_record_start(&raw mut raw)) }?;
        Ok(Self { raw, _of_this_thread: PhantomData })
    }

    /// Returns the number of calls of each operator so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        unsafe extern "C" fn visit(counts: *mut c_void, name: *const c_char, count: u64) {
            // SAFETY: the visitor is the map below, which nothing else uses during the visit.
            let counts = unsafe { &mut *counts.cast::<BTreeMap<String, u64>>() };
            // SAFETY: a C string that lives for the call.
            let name = unsafe { CStr::from_ptr(name) };
            counts.insert(name.to_string_lossy().into_owned(), count);
        }
        let mut counts = BTreeMap::new();
        // SAFETY: the record lives as long as `self`; the visitor is valid for the call.
        unsafe { lightning_record_visit(self.raw, (&raw mut counts).cast(), visit) };
        counts
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_record_start` on this thread, and not used again.
        unsafe { lightning_record_stop(self.raw) };
    }
}
