//! Configuration files: whatever the bytes are, they are read or refused, and what was read is written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| tch_lightning::__private::read_configuration(bytes));
