//! Runs of several processes on this machine, started as users start them.

mod callbacks;
mod cut_link;
mod disagreements;
mod equality;
mod fault_table;
mod faults;
mod gpus;
mod launch;
mod launcher_faults;
mod no_sync;
mod observations;
mod parity;
mod paused;
mod processes;
mod ranks;
mod resume;
mod scenarios;
mod seeds;
mod start;
mod terms;
mod uneven;
