//! What a run that is resumed after a failure does again, and what the failed run takes back of it.

use super::RunContext;
use crate::native::{NativeError, RandomState};
use crate::progress::Position;

impl RunContext {
    /// The first or the last hooks of an epoch are called from here on, once more after a failure.
    pub(crate) fn redo_hooks_from_here(&mut self, position: Position) -> Result<(), NativeError> {
        self.progress_mut().set_position(position);
        self.training_log_mut().set_mark();
        self.redo_from_here()
    }

    /// The validation from here on runs again after a failure. Its log begins empty.
    pub(crate) fn redo_validation_from_here(&mut self) -> Result<(), NativeError> {
        self.redo_from_here()
    }

    fn redo_from_here(&mut self) -> Result<(), NativeError> {
        self.progress_mut().redo_rows_from_here();
        self.saving.random_before_redone = Some(RandomState::of(self.device)?);
        Ok(())
    }

    /// A training batch begins. After a failure, all batches of its accumulation window are trained on again.
    pub(crate) fn begin_batch(&mut self, is_last: bool) {
        self.saving.random_before_redone = None;
        self.training_log_mut().begin_batch();
        if self.progress_mut().begin_batch(is_last) {
            self.training_log_mut().set_mark();
        }
    }

    /// Goes back to where a run that fails now can be resumed: the counters, the number of rows, the random numbers at the edges of
    /// epochs and around validations, and what was logged for the epoch. What the hooks have changed elsewhere stays, such as the
    /// state of metrics and callbacks.
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
