//! The dashboard of a run, and `watch` on a run of another process, on the screen of a pseudo-terminal.
#![allow(missing_docs)]

mod bar;
mod ends;
mod keys;
mod live;
mod runs;
mod watch;
