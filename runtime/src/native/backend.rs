//! Settings of libtorch's kernels, which hold for the process.

use super::NativeError;
use super::boundary::check;
use super::declarations::{
    lightning_exchange_benchmark_cudnn, lightning_exchange_float32_matmul_precision,
    lightning_set_deterministic_algorithms,
};
use std::ffi::{CStr, c_int};

/// Sets whether operators without a deterministic algorithm are errors, or with `warn_only` warnings.
pub(crate) fn set_deterministic_algorithms(enabled: bool, warn_only: bool) {
    // SAFETY: it sets two flags.
    unsafe { lightning_set_deterministic_algorithms(enabled, warn_only) };
}

/// Sets whether cuDNN measures its algorithms for each new shape. Returns the previous setting.
pub(crate) fn exchange_benchmark_cudnn(enabled: bool) -> bool {
    // SAFETY: it reads and sets a flag.
    unsafe { lightning_exchange_benchmark_cudnn(enabled) }
}

/// Sets the precision of float32 matrix multiplications: `highest`, `high` or `medium`. Returns the index of the previous one among
/// these.
pub(crate) fn exchange_float32_matmul_precision(precision: &CStr) -> Result<c_int, NativeError> {
    let mut before = 0;
    // SAFETY: the pointers are to a C string and to an integer, which live until the call returns.
    unsafe { check(lightning_exchange_float32_matmul_precision(precision.as_ptr(), &mut before)) }?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_settings_are_those_of_the_last_call() {
        // libtorch's defaults
        assert_eq!(exchange_float32_matmul_precision(c"medium").unwrap(), 0);
        assert_eq!(exchange_float32_matmul_precision(c"high").unwrap(), 2);
        assert_eq!(exchange_float32_matmul_precision(c"highest").unwrap(), 1);
        assert_eq!([true, false].map(exchange_benchmark_cudnn), [false, true]);
    }
}
