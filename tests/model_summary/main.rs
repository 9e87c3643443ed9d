//! The model summary: layers with the shapes of their inputs and outputs, and floating-point operations.
#![allow(missing_docs)]

mod layers;
mod printed;
mod training;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Random numbers and their seed are the process's: one test draws at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
