use super::NativeError;
use super::boundary::check;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr;

/// A record on the other side of the boundary.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn lightning_record_start(record: *mut *mut Opaque) -> *mut c_char;
    fn lightning_record_visit(
        record: *const Opaque,
        visitor: *mut c_void,
        visit: unsafe extern "C" fn(*mut c_void, *const c_char, u64),
    );
    fn lightning_record_stop(record: *mut Opaque);
}

/// Counts the operators that this thread calls, while it lives.
pub(crate) struct Record {
    opaque: *mut Opaque,
    /// It listens to its own thread, and must end there.
    _of_this_thread: PhantomData<*mut ()>,
}

impl Record {
    pub(crate) fn start() -> Result<Self, NativeError> {
        let mut opaque = ptr::null_mut();
        // SAFETY: the place is valid for the call, and the answer is an entry point's.
        unsafe { check(lightning_record_start(&raw mut opaque)) }?;
        Ok(Self { opaque, _of_this_thread: PhantomData })
    }

    /// How often each operator was called so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        unsafe extern "C" fn visit(counts: *mut c_void, name: *const c_char, count: u64) {
            // SAFETY: the visitor is the map below, which nothing else touches during the visit.
            let counts = unsafe { &mut *counts.cast::<BTreeMap<String, u64>>() };
            // SAFETY: a C string that lives for the call.
            let name = unsafe { CStr::from_ptr(name) };
            counts.insert(name.to_string_lossy().into_owned(), count);
        }
        let mut counts = BTreeMap::new();
        // SAFETY: the record lives as long as `self`; the visitor is valid for the call.
        unsafe { lightning_record_visit(self.opaque, (&raw mut counts).cast(), visit) };
        counts
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_record_start` on this thread, and not used again.
        unsafe { lightning_record_stop(self.opaque) };
    }
}
