//! The hooks and batches that a run resumed after a failure repeats, and the rollback in the failed run.

use super::RunContext;
use crate::native::{NativeError, RandomState};
use crate::progress::Position;

impl RunContext {
    /// Marks the start of the first or the last hooks of an epoch, which are called again after a failure.
    pub(crate) fn redo_hooks_from_here(&mut self, position: Position) -> Result<(), NativeError> {
        self.progress_mut().set_position(position);
        self.training_log_mut().set_mark();
        self.redo_from_here()
    }

    /// Marks the start of a validation, which runs again after a failure. Its log begins empty.
    pub(crate) fn redo_validation_from_here(&mut self) -> Result<(), NativeError> {
        self.redo_from_here()
    }

    fn redo_from_here(&mut self) -> Result<(), NativeError> {
        self.progress_mut().redo_rows_from_here();
        self.saving.random_before_redone = Some(RandomState::of(self.device)?);
        Ok(())
    }

    /// Begins a training batch. After a failure, all batches of its accumulation window are trained on again.
    pub(crate) fn begin_batch(&mut self, is_last: bool) {
        self.saving.random_before_redone = None;
        self.training_log_mut().begin_batch();
        if self.progress_mut().begin_batch(is_last) {
            self.training_log_mut().set_mark();
        }
    }

    /// Rewinds to the last point from which a failed run can resume: the counters, the number of rows, the epoch's log and, at the
    /// edges of epochs and around validations, the random numbers. Other changes by hooks stay, such as the state of metrics and
    /// callbacks.
    pub(crate) fn go_back(&mut self) -> Result<(), NativeError> {
        let was_within = self.progress().position();
        if self.progress_mut().go_back() {
            self.training_log_mut().go_back();
        }
        match self.saving.random_before_redone.take() {
            Some(random) if was_within != Position::Between => random.restore(),
            _ => Ok(()),
        }
    }
}
