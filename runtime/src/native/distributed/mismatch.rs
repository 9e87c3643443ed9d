use super::declarations::lightning_on_mismatch;
use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

/// Calls `report` with Gloo's message if it receives one of an operation of another size than this rank is in, which C++ would end the process
/// for. It is called in Gloo's thread, and may end the process itself. The first function stays.
pub(crate) fn on_mismatch(report: fn(&str)) {
    static REPORT: OnceLock<fn(&str)> = OnceLock::new();

    unsafe extern "C" fn call(message: *const c_char) {
        // SAFETY: the message of a C++ exception, which lives for the call.
        let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
        if let Some(report) = REPORT.get() {
            report(&message);
        }
    }

    REPORT.get_or_init(|| report);
    // SAFETY: the function lives as long as the program, and can be called from any thread.
    unsafe { lightning_on_mismatch(call) };
}
