//! What the loops pass to an observer of the run, such as the dashboard, and what it requests.

use super::RunContext;
use super::checkpoint_folders::CHECKPOINTS;
use super::error::ContextError;
use super::interruption::Interruption;
use crate::observer::{Position, Request};
use crate::signal::Signal;
use std::path::PathBuf;

impl RunContext {
    /// Sets the observer of the run.
    #[cfg(feature = "dashboard")]
    pub(crate) fn set_observer(&mut self, observer: Box<dyn crate::observer::Observer>) {
        self.observer = Some(observer);
        if let Some(recorder) = &mut self.recorder {
            recorder.begin_shares();
        }
    }

    /// Ends the observation of the run.
    pub(crate) fn end_observation(&mut self) {
        self.observer = None;
    }

    /// The current position, outside of an evaluation.
    pub(crate) fn position(&self) -> Position {
        Position {
            running_stage: self.running_stage(),
            epoch: self.current_epoch(),
            batch: self.progress().batches_ready(),
            batches: self.num_training_batches(),
            total_batches: self.total_batches(),
            step: self.global_step(),
            evaluated: 0,
            to_evaluate: None,
        }
    }

    /// Passes the current position to the observer. Returns whether there is one.
    #[inline]
    pub(crate) fn show_position(&mut self) -> bool {
        self.observer.is_some() && self.show(0, None)
    }

    /// Passes the progress of an evaluation to the observer.
    #[inline]
    pub(crate) fn show_evaluation(&mut self, done: usize) {
        if self.observer.is_some() {
            self.show(done, self.evaluation_batches());
        }
    }

    #[cold]
    fn show(&mut self, evaluated: usize, to_evaluate: Option<usize>) -> bool {
        let position = Position { evaluated, to_evaluate, ..self.position() };
        let Some(observer) = &mut self.observer else { return false };
        observer.at(position);
        if let Some(recorder) = self.recorder.as_ref().filter(|_| observer.wants_times()) {
            observer.times(recorder.shares());
        }
        true
    }

    /// Passes the folder of the run to the observer, if the folder exists.
    pub(crate) fn show_folder(&mut self) {
        if let (Some(observer), Some(folder)) = (&mut self.observer, self.logging.log_dir()) {
            observer.folder(folder);
        }
    }

    /// Passes a row of logged values to the observer.
    pub(super) fn show_row(&mut self, row: &[(String, f64)], step: usize) {
        let epoch = self.current_epoch();
        if let Some(observer) = &mut self.observer {
            observer.logged(row, step, epoch);
        }
    }

    /// Returns whether the observer has made this request, and takes it up.
    #[inline]
    pub(crate) fn takes_request(&mut self, request: Request) -> bool {
        if self.world_size() > 1 {
            let is_agreed = self.agreed_requests & request.bit() != 0;
            self.agreed_requests &= !request.bit();
            return is_agreed;
        }
        self.observer.as_mut().is_some_and(|observer| observer.takes(request))
    }

    /// Whether there are requests that all processes have agreed on.
    #[inline]
    pub(crate) fn has_agreed_requests(&self) -> bool {
        self.agreed_requests != 0
    }

    /// Adds the requests that all processes follow.
    pub(super) fn agree_on_requests(&mut self, requests: u8) {
        self.agreed_requests |= requests;
    }

    /// Returns the bits of the observer's requests, and takes them up.
    pub(super) fn observed_requests(&mut self) -> u8 {
        let Some(observer) = &mut self.observer else { return 0 };
        Request::ALL.into_iter().filter(|request| observer.takes(*request)).map(Request::bit).sum()
    }

    /// Returns the path of a checkpoint that the observer has requested.
    pub(crate) fn requested_checkpoint(&mut self) -> Result<PathBuf, ContextError> {
        let folder = self.log_dir()?.join(CHECKPOINTS);
        let name = format!("epoch={}-step={}", self.current_epoch(), self.global_step());
        let path = self.free_checkpoint(&folder, &name, |_| false);
        Ok(self.path_of_rank_zero(path)?)
    }

    /// Returns the end of a run that the observer has stopped, which is that of Ctrl-C.
    pub(crate) fn stopped_by_request(&mut self) -> Interruption {
        if self.is_together() {
            self.agree_on_signal(Some(Signal::Interrupt));
        }
        self.interrupted_by(Signal::Interrupt, self.progress().batches_ready().checked_sub(1))
    }
}
