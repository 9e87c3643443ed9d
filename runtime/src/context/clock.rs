//! The position of a run: the running verb, loop, epoch and batch, and the counters.

use super::RunContext;
use crate::hook::Hook;
use crate::profiler::{HookOwner, OpenAction};
use crate::progress::{IntervalClock, Progress};
use crate::stage::{RunningStage, Stage};
use crate::training_mode;

/// The clock of a run.
pub(super) struct Clock {
    stage: Stage,
    running_stage: RunningStage,
    progress: Progress,
    /// Whether a training epoch is running, which errors then name.
    in_epoch: bool,
    batch_idx: Option<usize>,
    batch_size: usize,
    dataloader_idx: Option<usize>,
    hook: Option<Hook>,
    num_training_batches: Option<usize>,
    num_val_batches: Vec<Option<usize>>,
    /// The batches of the running evaluation over all of its loaders, if their number is known.
    evaluation_batches: Option<usize>,
    has_validated: bool,
    /// The time and step at which validation within training was last due.
    validation_clock: IntervalClock,
}

/// The hook around the running one.
pub(crate) struct OuterHook {
    hook: Option<Hook>,
    open: Option<OpenAction>,
}

impl Clock {
    pub(super) fn new(stage: Stage) -> Self {
        Self {
            stage,
            running_stage: stage.into(),
            progress: Progress::default(),
            in_epoch: false,
            batch_idx: None,
            batch_size: 1,
            dataloader_idx: None,
            hook: None,
            num_training_batches: None,
            num_val_batches: Vec::new(),
            evaluation_batches: None,
            has_validated: false,
            validation_clock: IntervalClock::default(),
        }
    }

    /// Returns the clock of an evaluation after a `fit`. It keeps the counters, so that its rows have the step that the `fit` reached.
    pub(super) fn after(stage: Stage, before: Self) -> Self {
        Self {
            progress: before.progress,
            has_validated: before.has_validated,
            validation_clock: before.validation_clock,
            ..Self::new(stage)
        }
    }
}

impl RunContext {
    /// The verb that is running.
    pub fn stage(&self) -> Stage {
        self.clock.stage
    }

    /// The loop that the verb is running.
    pub fn running_stage(&self) -> RunningStage {
        self.clock.running_stage
    }

    /// Whether this is the sanity check before training.
    pub fn sanity_checking(&self) -> bool {
        self.clock.running_stage == RunningStage::SanityChecking
    }

    /// Returns whether layers such as dropout and batch normalization should act as in training:
    /// `self.net.forward_t(xs, ctx.is_training())`. It is true in a `fit`, and false in the sanity check, the validation within training,
    /// `validate`, `test` and `predict`.
    ///
    /// [`is_training`](crate::is_training) returns the same value in functions without a context, such as `forward`.
    pub fn is_training(&self) -> bool {
        training_mode::is_training()
    }

    /// Sets training or evaluation mode. An evaluation sets evaluation mode before `on_validation_model_eval` and `on_test_model_eval`,
    /// and restores the previous mode before `on_validation_model_train` and `on_test_model_train`: the mode that these hooks set is kept.
    /// `true` in `on_validation_model_eval` enables dropout for that validation, and `false` in `on_validation_model_train` disables it
    /// for the training that continues.
    pub fn set_training(&mut self, is_training: bool) {
        training_mode::set_training(is_training);
    }

    /// The running epoch, from 0.
    pub fn current_epoch(&self) -> usize {
        self.progress().current_epoch()
    }

    /// The number of optimizer steps taken so far, over all optimizers.
    pub fn global_step(&self) -> usize {
        self.progress().global_step()
    }

    /// The batch being worked on, from 0 in each epoch; `None` between batches.
    pub fn batch_idx(&self) -> Option<usize> {
        self.clock.batch_idx
    }

    /// The number of batches of a training epoch; `None` if the length of the loader is unknown.
    pub fn num_training_batches(&self) -> Option<usize> {
        self.clock.num_training_batches
    }

    /// The number of batches of each validation loader, `None` if its length is unknown; empty before the loaders are created.
    pub fn num_val_batches(&self) -> &[Option<usize>] {
        &self.clock.num_val_batches
    }

    /// The number of training batches begun so far, over all epochs.
    pub fn total_batches(&self) -> usize {
        self.progress().total_batches_ready()
    }

    /// Whether the running batch, or the one before, is the last of its training epoch.
    pub fn is_last_batch(&self) -> bool {
        self.progress().is_last_batch()
    }

    /// Whether the running epoch has begun. In [`on_train_start`](crate::Callback::on_train_start), true means that the run is resumed
    /// within an epoch. `on_train_epoch_start` of that epoch was called in the run that wrote the checkpoint, and is not called
    /// again: a callback must repeat that set-up in `on_train_start`.
    pub fn is_mid_epoch(&self) -> bool {
        self.progress().is_mid_epoch()
    }

    /// The counters of the loops.
    pub(crate) fn progress(&self) -> &Progress {
        &self.clock.progress
    }

    pub(crate) fn progress_mut(&mut self) -> &mut Progress {
        &mut self.clock.progress
    }

    pub(crate) fn set_running_stage(&mut self, running_stage: RunningStage) {
        self.clock.running_stage = running_stage;
    }

    /// The training epoch that is running, from 0.
    pub(crate) fn running_epoch(&self) -> Option<usize> {
        self.clock.in_epoch.then_some(self.current_epoch())
    }

    pub(crate) fn enter_epoch(&mut self) {
        self.clock.in_epoch = true;
    }

    pub(crate) fn leave_epoch(&mut self) {
        self.clock.in_epoch = false;
    }

    /// Sets the running batch. Returns the previous one, as validation runs within a training batch.
    pub(crate) fn enter_batch(&mut self, batch_idx: usize, batch_size: Option<usize>) -> Option<usize> {
        self.clock.batch_size = batch_size.unwrap_or(1);
        self.clock.batch_idx.replace(batch_idx)
    }

    /// Restores the batch that [`enter_batch`](Self::enter_batch) returned.
    pub(crate) fn leave_batch(&mut self, outer: Option<usize>) {
        self.clock.batch_idx = outer;
    }

    /// The number of samples of the running batch.
    pub(crate) fn batch_size(&self) -> usize {
        self.clock.batch_size
    }

    /// The index of the running loader, if there are several.
    pub(crate) fn dataloader_idx(&self) -> Option<usize> {
        self.clock.dataloader_idx
    }

    pub(crate) fn set_dataloader_idx(&mut self, dataloader_idx: Option<usize>) {
        self.clock.dataloader_idx = dataloader_idx;
    }

    /// The hook that is running.
    pub(crate) fn hook(&self) -> Option<Hook> {
        self.clock.hook
    }

    /// Sets the running hook, and begins its time, if it is one of an owner. Returns the hook around it.
    pub(crate) fn enter_hook(&mut self, hook: Hook, owner: Option<HookOwner>) -> OuterHook {
        let open = owner.and_then(|owner| self.enter_observed_hook(hook, owner));
        let outer = OuterHook { hook: self.clock.hook.replace(hook), open };
        self.show_place();
        outer
    }

    /// Restores the hook that [`enter_hook`](Self::enter_hook) returned, and ends the time of the running one.
    pub(crate) fn leave_hook(&mut self, outer: OuterHook) {
        self.clock.hook = outer.hook;
        self.show_place();
        self.leave_region(outer.open);
    }

    /// Shows the other processes where this one is, which may wait for it.
    #[inline]
    fn show_place(&self) {
        if self.world_size() > 1 {
            self.strategy().set_place(self.clock.hook, self.clock.batch_idx);
        }
    }

    pub(crate) fn set_num_training_batches(&mut self, batches: Option<usize>) {
        self.clock.num_training_batches = batches;
        self.know_training_batches();
    }

    pub(crate) fn set_num_val_batches(&mut self, batches: &[Option<usize>]) {
        self.clock.num_val_batches = batches.to_vec();
    }

    /// The batches of the running evaluation over all of its loaders, if their number is known.
    pub(crate) fn evaluation_batches(&self) -> Option<usize> {
        self.clock.evaluation_batches
    }

    pub(crate) fn set_evaluation_batches(&mut self, batches: Option<usize>) {
        self.clock.evaluation_batches = batches;
    }

    /// Whether the validation within training has run.
    pub(crate) fn has_validated(&self) -> bool {
        self.clock.has_validated
    }

    /// Records that validation within training has run, and begins its next interval.
    pub(crate) fn end_validation(&mut self) {
        self.clock.has_validated = true;
        self.clock.validation_clock.restart();
    }

    pub(super) fn restore_validation(&mut self, has_validated: bool, clock: Option<IntervalClock>) {
        self.clock.has_validated = has_validated;
        if let Some(clock) = clock {
            self.clock.validation_clock = clock;
        }
    }

    pub(crate) fn validation_clock(&self) -> &IntervalClock {
        &self.clock.validation_clock
    }

    /// Counts the optimizer steps of the interval between two validations from here on.
    pub(crate) fn see_validation_steps(&mut self) {
        let steps = self.global_step() as u64;
        self.clock.validation_clock.see(steps);
    }

    /// Counts the time of the interval between two validations from here on.
    pub(crate) fn restart_validation_clock(&mut self) {
        self.clock.validation_clock.restart();
    }
}
