use super::super::boundary::check;
use super::super::{Descriptors, NativeError};
use super::declarations::{
    CStore, lightning_store_free, lightning_store_get, lightning_store_new, lightning_store_port, lightning_store_set,
    lightning_store_set_first,
};
use super::{c_string, milliseconds};
use std::ffi::{c_char, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

/// Small values by key, which one process keeps for all: c10d's `TCPStore`.
pub(crate) struct Store {
    raw: NonNull<CStore>,
}

// SAFETY: a `TCPStore` locks a mutex for each operation, and has no state of a thread.
unsafe impl Send for Store {}
// SAFETY: as above.
unsafe impl Sync for Store {}

impl Store {
    /// Keeps the values in this process, under a port: `0` takes a free one.
    pub(crate) fn serve(port: u16, timeout: Duration) -> Result<Self, NativeError> {
        Self::new("localhost", port, true, timeout)
    }

    /// Connects to the store of another process, and waits for it to be there.
    pub(crate) fn connect(host: &str, port: u16, timeout: Duration) -> Result<Self, NativeError> {
        Self::new(host, port, false, timeout)
    }

    fn new(host: &str, port: u16, is_server: bool, timeout: Duration) -> Result<Self, NativeError> {
        let (host, mut raw, before) = (c_string(host), ptr::null_mut(), Descriptors::now());
        // SAFETY: the text and the pointer are valid for the call, and the answer is an entry point's.
        unsafe {
            check(lightning_store_new(host.as_ptr(), port.into(), is_server, milliseconds(timeout), &raw mut raw))
        }?;
        before.close_later_ones_on_exec();
        Ok(Self { raw: NonNull::new(raw).expect("a call that succeeded has stored the store") })
    }

    /// The C++ object, which lives as long as `self`.
    pub(super) fn raw(&self) -> *const CStore {
        self.raw.as_ptr()
    }

    /// Returns the port of the server.
    pub(crate) fn port(&self) -> u16 {
        // SAFETY: the store lives as long as `self`.
        let port = unsafe { lightning_store_port(self.raw.as_ptr()) };
        u16::try_from(port).expect("a port has 16 bits")
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), NativeError> {
        let key = c_string(key);
        // SAFETY: the key and the value are valid for the call, and C++ copies them.
        unsafe { check(lightning_store_set(self.raw.as_ptr(), key.as_ptr(), value.as_ptr().cast(), value.len())) }
    }

    /// Sets a value, unless there is one already.
    pub(crate) fn set_first(&self, key: &str, value: &[u8]) -> Result<(), NativeError> {
        let key = c_string(key);
        // SAFETY: as for `set`.
        unsafe { check(lightning_store_set_first(self.raw.as_ptr(), key.as_ptr(), value.as_ptr().cast(), value.len())) }
    }

    /// Waits until there is a value; returns `None` if there is none within the time. Without a time it does not wait for one.
    pub(crate) fn get(&self, key: &str, timeout: Duration) -> Result<Option<Vec<u8>>, NativeError> {
        unsafe extern "C" fn take(taker: *mut c_void, value: *const c_char, length: usize) {
            // SAFETY: the pointer is the one passed to C++ below, which nothing else uses during the call.
            let taken = unsafe { &mut *taker.cast::<Option<Vec<u8>>>() };
            let bytes = match length {
                0 => Vec::new(),
                // SAFETY: an array of `length` bytes, which lives for the call.
                _ => unsafe { slice::from_raw_parts(value.cast::<u8>(), length) }.to_vec(),
            };
            *taken = Some(bytes);
        }
        let (key, mut taken) = (c_string(key), None::<Vec<u8>>);
        let (time, taker) = (milliseconds(timeout), (&raw mut taken).cast());
        // SAFETY: `take` is called with this pointer while the call lasts, and not after it.
        unsafe { check(lightning_store_get(self.raw.as_ptr(), key.as_ptr(), time, take, taker)) }?;
        Ok(taken)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: made by `lightning_store_new`, and not used again.
        unsafe { lightning_store_free(self.raw.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_has_values_of_all_clients() {
        let server = Store::serve(0, Duration::from_secs(20)).unwrap();
        let client = Store::connect("127.0.0.1", server.port(), Duration::from_secs(20)).unwrap();
        client.set("rank 1", b"is here").unwrap();
        assert_eq!(server.get("rank 1", Duration::from_secs(5)).unwrap().as_deref(), Some(&b"is here"[..]));
        assert_eq!(server.get("rank 2", Duration::from_millis(50)).unwrap(), None);
        assert_eq!(server.get("rank 2", Duration::ZERO).unwrap(), None);
        client.set_first("failure", b"of rank 1").unwrap();
        server.set_first("failure", b"of rank 0").unwrap();
        assert_eq!(server.get("failure", Duration::ZERO).unwrap().as_deref(), Some(&b"of rank 1"[..]));
        server.set("empty", b"").unwrap();
        assert_eq!(client.get("empty", Duration::from_secs(5)).unwrap().as_deref(), Some(&b""[..]));
    }

    #[test]
    fn store_that_nobody_serves_is_an_error() {
        let port = Store::serve(0, Duration::from_secs(5)).unwrap().port();
        assert!(Store::connect("127.0.0.1", port, Duration::from_millis(300)).is_err());
    }
}
