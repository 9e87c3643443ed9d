//! The table of runs and the page about runs, as a user of a generated program gets them.
#![allow(missing_docs)]

mod child;
mod page;
mod results;
mod runs;
