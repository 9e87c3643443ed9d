//! What a run that is resumed after a failure does again, and how much of it the failed run takes back.

use super::RunContext;

impl RunContext {
    /// The hooks of the training loop from here on are called again after a failure.
    pub(crate) fn redo_from_here(&mut self) {
        self.progress.redo_rows_from_here();
        self.training_log.set_mark();
    }

    /// The validation from here on runs again after a failure. Its log begins empty.
    pub(crate) fn redo_validation_from_here(&mut self) {
        self.progress.redo_rows_from_here();
    }

    /// A training batch begins. After a failure, all batches of its accumulation window are trained on again.
    pub(crate) fn begin_batch(&mut self, is_last: bool) {
        let window = self.accumulation_window();
        if self.progress.begin_batch(is_last, window) {
            self.training_log.set_mark();
        }
    }

    /// Goes back to where a run that fails now can be resumed: the counters, the number of rows, and what was logged for the epoch.
    /// What the hooks have changed elsewhere stays, such as the state of metrics and callbacks.
    pub(crate) fn go_back(&mut self) {
        let window = self.accumulation_window();
        if self.progress.go_back(window) {
            self.training_log.go_back();
        }
    }
}
