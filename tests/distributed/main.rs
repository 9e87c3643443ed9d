//! Runs of several processes on this machine, started as users start them.

mod callbacks;
mod equality;
mod parity;
mod processes;
mod resume;
