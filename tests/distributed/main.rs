//! Runs of several processes on this machine, started as users start them.

mod equality;
mod parity;
mod processes;
