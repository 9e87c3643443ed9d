use super::declarations::lightning_libtorch_version;
use std::ffi::CStr;

/// Returns the version of the libtorch that this crate was compiled against, such as `2.13.0`.
///
/// ```
/// assert!(tch_lightning::device::libtorch_version().starts_with("2.13."));
/// ```
pub fn libtorch_version() -> &'static str {
    // SAFETY: it returns a string literal, which is never freed.
    let version = unsafe { CStr::from_ptr(lightning_libtorch_version()) };
    version.to_str().expect("libtorch's version is written in ASCII")
}
