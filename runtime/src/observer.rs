//! Observers of a run on another thread, such as the dashboard: what the loops pass to them, and what they may request.

use crate::stage::RunningStage;
use std::path::Path;

/// The position of a run, for its progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) running_stage: RunningStage,
    /// The training epoch, from 0.
    pub(crate) epoch: usize,
    /// The training batches of the epoch that are done.
    pub(crate) batch: usize,
    /// The training batches of an epoch, if their number is known.
    pub(crate) batches: Option<usize>,
    /// The training batches of all epochs that are done.
    pub(crate) total_batches: usize,
    /// The optimizer steps.
    pub(crate) step: usize,
    /// The batches of the running evaluation that are done.
    pub(crate) evaluated: usize,
    /// The batches of the running evaluation, if their number is known.
    pub(crate) to_evaluate: Option<usize>,
}

/// A request to a run, which it takes up between two batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Write a checkpoint, and end the run as Ctrl-C does.
    Stop,
    Checkpoint,
    Validate,
}

impl Request {
    pub(crate) const ALL: [Self; 3] = [Self::Stop, Self::Checkpoint, Self::Validate];

    /// The bit of the request in a set of them.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// An observer of a run. The loops call it, so that none of its functions may wait.
pub(crate) trait Observer {
    /// Takes the position of the run, after each batch.
    fn at(&mut self, position: Position);

    /// Takes the folder of the run, once it exists.
    fn folder(&mut self, folder: &Path);

    /// Takes a row of logged values.
    fn logged(&mut self, row: &[(String, f64)], step: usize, epoch: usize);

    /// Returns whether the observer wants the times now.
    fn wants_times(&self) -> bool;

    /// Takes the shares of the run's time by what it was spent on.
    fn times(&mut self, shares: Vec<(&'static str, f64)>);

    /// Returns whether there is such a request, and removes it.
    fn takes(&mut self, request: Request) -> bool;
}
