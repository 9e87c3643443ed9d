//! What the tests of profilers and their program share.

pub mod model;
