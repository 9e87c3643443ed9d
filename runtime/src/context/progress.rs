use serde::{Deserialize, Serialize};

/// How far a `fit` is: the counters that a checkpoint keeps of the loops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Epochs that were finished, which is also the index of the running one.
    pub(crate) current_epoch: usize,
    /// Steps of all optimizers.
    pub(crate) global_step: usize,
    /// Batches after which the optimizers stepped: the step of logged rows, as in Lightning.
    pub(crate) batches_that_stepped: usize,
    /// Batches begun in this epoch.
    pub(crate) batches_ready: usize,
    /// Batches begun in all epochs.
    pub(crate) total_batches_ready: usize,
    /// Whether the batch begun last is the epoch's last.
    pub(crate) is_last_batch: bool,
    /// Whether the running epoch's batches are done, and its last hooks are being called.
    pub(crate) epoch_is_done: bool,
}

impl Progress {
    /// A new epoch begins.
    pub(crate) fn reset_epoch(&mut self) {
        self.batches_ready = 0;
        self.is_last_batch = false;
    }

    /// The running epoch has ended.
    pub(crate) fn end_epoch(&mut self) {
        self.current_epoch += 1;
        self.batches_ready = 0;
        self.epoch_is_done = false;
    }

    /// Whether the running epoch has begun before, in the run that is gone on with.
    pub(crate) fn is_mid_epoch(&self) -> bool {
        self.batches_ready > 0
    }

    /// A batch begins.
    pub(crate) fn begin_batch(&mut self, is_last: bool) {
        self.batches_ready += 1;
        self.total_batches_ready += 1;
        self.is_last_batch = is_last;
    }
}
