//! How far a run is, and what is saved of that: shared by the context of a run and its checkpoints.

mod interval_clock;
mod run_state;

pub(crate) use interval_clock::{IntervalClock, SavedIntervalClock};
pub(crate) use run_state::{EpochPart, GRADIENT, LOG, RANDOM, Refrozen, RunState, Terms};

use serde::{Deserialize, Serialize};

/// How far a `fit` is: the counters that a checkpoint keeps of the loops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// Epochs that were finished, which is also the index of the running one.
    current_epoch: usize,
    /// Steps of all optimizers.
    global_step: usize,
    /// Batches after which the optimizers stepped: the step of logged rows, as in Lightning.
    batches_that_stepped: usize,
    /// Batches begun in this epoch.
    batches_ready: usize,
    /// Batches begun in all epochs.
    total_batches_ready: usize,
    /// Batches begun in the running accumulation window: 0 where the optimizers have stepped after the last one. Checkpoints from
    /// before it was saved do not have it.
    batches_in_window: Option<usize>,
    /// The batches of the last epoch, where training has stopped within it.
    cut_short_after: Option<usize>,
    /// Rows that each logger got.
    rows: usize,
    /// The rows before the running accumulation window.
    rows_before_window: usize,
    /// The number of rows before the point from which a run that fails now would resume; `None` if nothing would be repeated.
    #[serde(skip)]
    rows_before_redone: Option<usize>,
    /// Whether the batch begun last is the epoch's last.
    is_last_batch: bool,
    /// Whether the running epoch's first hooks were called.
    epoch_has_begun: bool,
    /// The epoch for which the training loader was last made, and that of the validation loaders.
    train_loaded_at: Option<usize>,
    val_loaded_at: Option<usize>,
    /// The position of the run within a batch or epoch.
    position: Position,
    /// Of checkpoints of layout 1, which were written before an epoch had ended: whether all its batches were done.
    #[serde(skip_serializing)]
    epoch_is_done: bool,
}

/// The position of a run in its batch or epoch, at which a resumed run continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    /// Between two batches, and outside of training.
    #[default]
    Between,
    /// The first hooks of an epoch are being called.
    EpochStart,
    /// A batch is being trained on.
    Batch,
    /// A batch has been trained on; its last hooks, a validation if due, and the schedulers that depend on it follow.
    BatchEnd,
    /// All batches of the epoch are done, and its last hooks are being called.
    EpochEnd,
}

/// The counters that Lightning's loops have too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Epochs that were finished.
    pub(crate) epochs: usize,
    pub(crate) global_step: usize,
    pub(crate) batches_that_stepped: usize,
    /// Batches of the running epoch; 0 between two.
    pub(crate) batches_of_epoch: usize,
    /// Batches of all epochs.
    pub(crate) batches: usize,
}

impl Progress {
    /// Returns the progress of a run with these counters.
    pub(crate) fn of(counters: Counters) -> Self {
        let Counters { epochs, global_step, batches_that_stepped, batches_of_epoch, batches } = counters;
        Self {
            current_epoch: epochs,
            global_step,
            batches_that_stepped,
            batches_ready: batches_of_epoch,
            total_batches_ready: batches,
            epoch_has_begun: batches_of_epoch > 0,
            ..Self::default()
        }
    }

    /// Returns the counters that Lightning's loops have too.
    pub(crate) fn counters_of_loops(&self) -> Counters {
        Counters {
            epochs: self.current_epoch,
            global_step: self.global_step,
            batches_that_stepped: self.batches_that_stepped,
            batches_of_epoch: self.batches_ready,
            batches: self.total_batches_ready,
        }
    }

    /// The number of epochs that were finished, which is also the index of the running one.
    pub(crate) fn current_epoch(&self) -> usize {
        self.current_epoch
    }

    /// The number of steps of all optimizers.
    pub(crate) fn global_step(&self) -> usize {
        self.global_step
    }

    /// The number of batches after which the optimizers stepped: the step of logged rows, as in Lightning.
    pub(crate) fn batches_that_stepped(&self) -> usize {
        self.batches_that_stepped
    }

    /// The number of batches begun in this epoch.
    pub(crate) fn batches_ready(&self) -> usize {
        self.batches_ready
    }

    /// The number of batches begun in all epochs.
    pub(crate) fn total_batches_ready(&self) -> usize {
        self.total_batches_ready
    }

    /// The number of rows that each logger got.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the batch begun last is the epoch's last.
    pub(crate) fn is_last_batch(&self) -> bool {
        self.is_last_batch
    }

    /// The epoch for which the training loader was last made.
    pub(crate) fn train_loaded_at(&self) -> Option<usize> {
        self.train_loaded_at
    }

    /// The epoch for which the validation loaders were last made.
    pub(crate) fn val_loaded_at(&self) -> Option<usize> {
        self.val_loaded_at
    }

    /// The position of the run within a batch or epoch.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn set_position(&mut self, position: Position) {
        self.position = position;
    }

    /// Counts a step of an optimizer.
    pub(crate) fn count_step(&mut self) {
        self.global_step += 1;
    }

    /// Counts a row that the loggers got.
    pub(crate) fn count_row(&mut self) {
        self.rows += 1;
    }

    /// Records that the training loader was made for the running epoch.
    pub(crate) fn set_train_loaded(&mut self) {
        self.train_loaded_at = Some(self.current_epoch);
    }

    /// Records that the validation loaders were made for the running epoch.
    pub(crate) fn set_val_loaded(&mut self) {
        self.val_loaded_at = Some(self.current_epoch);
    }

    /// Skips the rest of the epoch after the running batch.
    pub(crate) fn skip_rest_of_epoch(&mut self) {
        self.is_last_batch = true;
    }

    /// The running batch is over, with the validation after it.
    pub(crate) fn end_batch(&mut self, has_stepped: bool) {
        if has_stepped {
            self.batches_that_stepped += 1;
        }
        self.position = Position::Between;
        self.keep_all_rows();
    }

    /// Counts the rows of an epoch's end to its last step, until [`count_rows_to`](Self::count_rows_to). Returns the step to return to.
    pub(crate) fn count_rows_to_last_step(&mut self) -> usize {
        let stepped = self.batches_that_stepped;
        self.batches_that_stepped = stepped.saturating_sub(1);
        stepped
    }

    pub(crate) fn count_rows_to(&mut self, step: usize) {
        self.batches_that_stepped = step;
    }

    /// The counters of a run that resumes from these, and has written `rows` before that.
    pub(crate) fn resumed_after_rows(&self, rows: usize) -> Self {
        let mut progress = self.resumed();
        progress.rows += rows;
        progress
    }

    /// A new epoch has begun: its first hooks were called.
    pub(crate) fn begin_epoch(&mut self) {
        self.batches_ready = 0;
        self.is_last_batch = false;
        self.end_window();
        self.epoch_has_begun = true;
        self.cut_short_after = None;
        self.position = Position::Between;
        self.keep_all_rows();
    }

    /// The running epoch has ended.
    pub(crate) fn end_epoch(&mut self) {
        self.cut_short_after = Some(self.batches_ready).filter(|_| !self.is_last_batch);
        self.current_epoch += 1;
        self.keep_all_rows();
        self.batches_ready = 0;
        self.epoch_has_begun = false;
        self.position = Position::Between;
    }

    /// The number of epochs of which all batches were trained on.
    pub(crate) fn trained_epochs(&self) -> usize {
        self.current_epoch + usize::from(self.epoch_has_begun && self.is_last_batch)
    }

    /// Whether the epoch that is running, or was cut short, was begun and has batches left.
    pub(crate) fn has_batches_left(&self) -> bool {
        self.batches_ready > 0 || self.is_cut_short()
    }

    /// Whether the last epoch has batches that were not trained on.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.cut_short_after.is_some()
    }

    /// The counters of a run that continues within the last epoch, where training has stopped within it.
    pub(crate) fn within_cut_epoch(&self) -> Option<Self> {
        let batches_ready = self.cut_short_after?;
        let (current_epoch, epoch_has_begun) = (self.current_epoch.checked_sub(1)?, true);
        Some(Self { current_epoch, epoch_has_begun, batches_ready, cut_short_after: None, ..self.clone() })
    }

    /// The counters of a checkpoint that is validated, tested or predicted with.
    pub(crate) fn of_evaluation(&self) -> Self {
        let Self { current_epoch, global_step, batches_that_stepped, .. } = self.resumed();
        Self { current_epoch, global_step, batches_that_stepped, ..Self::default() }
    }

    /// Returns the counters of a resumed run.
    pub(crate) fn resumed(&self) -> Self {
        let mut progress = self.clone();
        if std::mem::take(&mut progress.epoch_is_done) {
            progress.end_epoch();
        }
        progress
    }

    /// All counters, with what they count.
    pub(crate) fn counters(&self) -> [(&'static str, usize); 11] {
        [
            ("epochs", self.current_epoch),
            ("optimizer steps", self.global_step),
            ("batches that stepped", self.batches_that_stepped),
            ("batches of the epoch", self.batches_ready),
            ("batches of all epochs", self.total_batches_ready),
            ("batches of the accumulation window", self.batches_in_window()),
            ("batches of an epoch that was cut short", self.cut_short_after.unwrap_or_default()),
            ("rows", self.rows),
            ("rows before the accumulation window", self.rows_before_window),
            ("epoch of the training loader", self.train_loaded_at.unwrap_or_default()),
            ("epoch of the validation loaders", self.val_loaded_at.unwrap_or_default()),
        ]
    }

    /// Whether the running epoch has begun, perhaps in the run that is resumed.
    pub(crate) fn is_mid_epoch(&self) -> bool {
        self.epoch_has_begun || self.batches_ready > 0
    }

    /// From here on, a run that is resumed after a failure writes all rows again.
    pub(crate) fn redo_rows_from_here(&mut self) {
        self.rows_before_redone = Some(self.rows);
    }

    /// Records that everything up to here is not repeated after a failure.
    pub(crate) fn keep_all_rows(&mut self) {
        self.rows_before_redone = None;
    }

    /// Starts a batch. Returns whether it is the first of its accumulation window.
    pub(crate) fn begin_batch(&mut self, is_last: bool) -> bool {
        self.batches_in_window = Some(self.batches_in_window() + 1);
        let is_first = self.is_first_of_window();
        if is_first {
            self.rows_before_window = self.rows;
        }
        self.batches_ready += 1;
        self.total_batches_ready += 1;
        self.is_last_batch = is_last;
        self.position = Position::Batch;
        is_first
    }

    /// Whether the batch begun last is the first of its accumulation window.
    pub(crate) fn is_first_of_window(&self) -> bool {
        self.batches_in_window() == 1
    }

    /// Whether the optimizers have yet to step after the batches of the running accumulation window.
    pub(crate) fn is_within_window(&self) -> bool {
        self.batches_in_window() > 0
    }

    fn batches_in_window(&self) -> usize {
        self.batches_in_window.unwrap_or_default()
    }

    /// Finds the batches of the running accumulation window by the size of windows, where the checkpoint does not have them.
    pub(crate) fn find_window(&mut self, accumulate_grad_batches: usize) {
        let found = if self.is_last_batch { 0 } else { self.batches_ready % accumulate_grad_batches.max(1) };
        self.batches_in_window.get_or_insert(found);
    }

    /// The accumulation window has ended: the optimizers have stepped, or its batches need no step.
    pub(crate) fn end_window(&mut self) {
        self.batches_in_window = Some(0);
    }

    /// Rewinds the counters to the last point from which a run that fails now can be resumed: to the beginning of the running
    /// accumulation window, whose gradients are incomplete, or to the beginning of the epoch's end. Returns whether the hooks of the
    /// training loop that were called since then are called again.
    pub(crate) fn go_back(&mut self) -> bool {
        let is_redone = match self.position {
            Position::Batch => {
                let window = self.batches_in_window();
                self.end_window();
                self.batches_ready = self.batches_ready.saturating_sub(window);
                self.total_batches_ready = self.total_batches_ready.saturating_sub(window);
                self.is_last_batch = false;
                self.position = Position::Between;
                self.rows = self.rows_before_window;
                return true;
            }
            Position::EpochStart | Position::EpochEnd => {
                self.position = Position::Between;
                true
            }
            // a validation, which has a separate log, may be repeated
            Position::Between | Position::BatchEnd => false,
        };
        self.rows = self.rows_before_redone.unwrap_or(self.rows);
        is_redone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_of_an_older_checkpoint_is_found_by_its_size() {
        let older: Progress = serde_json::from_str(r#"{ "batches_ready": 5, "total_batches_ready": 12 }"#).unwrap();
        for (size, within, back) in [(1, false, 5), (2, true, 4), (3, true, 3), (5, false, 5)] {
            let mut progress = older.clone();
            progress.find_window(size);
            assert_eq!(progress.is_within_window(), within, "windows of {size}");
            assert_eq!(progress.begin_batch(false), !within, "windows of {size}");
            progress.go_back();
            assert_eq!((progress.batches_ready, progress.total_batches_ready), (back, 7 + back), "windows of {size}");
        }
        let mut newer = Progress::default();
        newer.begin_batch(false);
        newer.end_window();
        newer.find_window(2);
        assert!(!newer.is_within_window(), "what is known is not looked for");
    }

    #[test]
    fn batch_that_fails_is_done_again_with_its_window() {
        let mut progress = Progress::default();
        for batch in 0..8 {
            assert_eq!(progress.begin_batch(false), batch % 3 == 0);
            if batch % 3 == 2 {
                progress.end_window();
            }
        }
        // of the windows 0 1 2, 3 4 5, 6 7 8, the eighth batch is in the last
        progress.go_back();
        assert_eq!((progress.batches_ready, progress.total_batches_ready), (6, 6));
        assert_eq!(progress.position, Position::Between);
        progress.go_back();
        assert_eq!(progress.batches_ready, 6, "between batches there is nothing to go back for");
    }
}
