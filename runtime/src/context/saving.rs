//! The checkpoints of a run: requested, queued and resumed from.

use super::RunContext;
use crate::checkpoint::folders::Folders;
use crate::checkpoint::writer::Writer;
use crate::checkpoint::{Checkpoint, SaveRequest};
use crate::config::Resume;
use crate::data::SavedLoader;
use crate::loggers::LoggedAt;
use crate::native::RandomState;
use crate::paths;
use crate::progress::EpochPart;
use crate::stage::Stage;
use crate::strategy::Call;
use std::path::{Path, PathBuf};

/// A checkpoint whose hooks have been called, and that is not written yet. Links have no contents.
pub(crate) struct PendingSave {
    pub(crate) request: SaveRequest,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The step at which it was requested.
    pub(crate) at: LoggedAt,
}

/// The checkpoints of a run.
#[derive(Default)]
pub(super) struct Saving {
    /// The checkpoint that the run starts from.
    ckpt_path: Option<PathBuf>,
    /// The same checkpoint, until training continues.
    resumed: Option<Checkpoint>,
    /// Whether the checkpoint that a `fit` started from has been restored completely.
    is_restored: bool,
    /// Requested checkpoints whose `on_save_checkpoint` has not been called yet.
    requests: Vec<SaveRequest>,
    /// The calls that requested them, if there are several processes.
    called: Vec<Call>,
    /// Requested checkpoints, queued until the next point from which training can resume.
    pending: Vec<PendingSave>,
    writer: Writer,
    folders: Folders,
    /// The optimizer steps at the last checkpoint of this run.
    saved_at: Option<usize>,
    /// The optimizer steps of the checkpoint that was restored.
    resumed_at: usize,
    /// The loader of the running training epoch.
    train_loader: Option<SavedLoader>,
    /// The parts of the running epoch that other numbers of processes have trained on.
    epoch_parts: Vec<EpochPart>,
    /// Whether the batches of an epoch can be divided among another number of processes.
    has_divisible_order: bool,
    /// The random numbers before the part that a resumed run repeats if this run fails now.
    pub(super) random_before_redone: Option<RandomState>,
}

impl Saving {
    /// The state in an evaluation after a `fit`, which can still be saved.
    pub(super) fn after(before: Self) -> Self {
        let Self { train_loader, epoch_parts, has_divisible_order, .. } = before;
        Self { train_loader, epoch_parts, has_divisible_order, ..Self::default() }
    }
}

impl RunContext {
    /// The checkpoint that the run started from.
    pub fn ckpt_path(&self) -> Option<&Path> {
        self.saving.ckpt_path.as_deref()
    }

    /// Whether the run continues that of its checkpoint, instead of taking a part of it.
    pub(crate) fn is_resumed(&self) -> bool {
        self.ckpt_path().is_some() && self.config().resume == Resume::All
    }

    pub(crate) fn set_ckpt_path(&mut self, path: Option<PathBuf>) {
        self.saving.ckpt_path = path;
    }

    /// Requests a checkpoint, which is written at the end of the running batch, validation or epoch. Lightning's
    /// [`trainer.save_checkpoint`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#save-checkpoint). If there are several
    /// processes, all must request it, in the same hook, as it contains the state of each; rank 0 writes the file.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::checkpoint::SaveRequest;
    /// struct SaveEveryEpoch;
    ///
    /// #[lightning_callback]
    /// impl SaveEveryEpoch {
    ///     fn on_train_epoch_end(&self, ctx: &mut Context) {
    ///         let path = format!("epoch_{}.ckpt", ctx.current_epoch());
    ///         ctx.save_checkpoint(SaveRequest::new(path));
    ///     }
    /// }
    /// ```
    #[track_caller]
    pub fn save_checkpoint(&mut self, request: SaveRequest) {
        if self.world_size() > 1 {
            self.saving.called.push(self.called_save(&request));
        }
        self.saving.requests.push(request);
    }

    /// Removes and returns the requested checkpoints whose hooks have not been called yet.
    pub(crate) fn save_requests(&self) -> &[SaveRequest] {
        &self.saving.requests
    }

    pub(crate) fn take_save_requests(&mut self) -> Vec<SaveRequest> {
        std::mem::take(&mut self.saving.requests)
    }

    /// Removes and returns the calls that requested checkpoints, which all processes compare.
    pub(crate) fn take_called_saves(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.saving.called)
    }

    /// Queues a checkpoint until the next point from which training can resume.
    pub(crate) fn queue_save(&mut self, pending: PendingSave) {
        self.saving.pending.push(pending);
    }

    pub(crate) fn has_pending_saves(&self) -> bool {
        !self.saving.pending.is_empty()
    }

    pub(crate) fn take_pending_saves(&mut self) -> Vec<PendingSave> {
        std::mem::take(&mut self.saving.pending)
    }

    /// Whether `path` exists or is about to be written.
    pub(crate) fn is_taken(&self, path: &Path) -> bool {
        let pending = self.saving.pending.iter().map(|pending| &pending.request);
        let is_to_come = pending.chain(&self.saving.requests).any(|request| request.is_at(path));
        is_to_come || self.saving.writer.has(&paths::entry(path)) || path.exists()
    }

    /// Returns the first of `name.ckpt`, `name-v1.ckpt`, … in a folder that does not exist or may be replaced.
    pub(crate) fn free_checkpoint(
        &self,
        folder: &Path,
        name: &str,
        may_be_replaced: impl Fn(&Path) -> bool,
    ) -> PathBuf {
        let first = folder.join(format!("{name}.ckpt"));
        let others = (1..).map(|version| folder.join(format!("{name}-v{version}.ckpt")));
        let mut paths = std::iter::once(first.clone()).chain(others);
        paths.find(|path| may_be_replaced(path) || !self.is_taken(path)).unwrap_or(first)
    }

    /// The writer of checkpoints, which writes while training continues.
    pub(crate) fn checkpoint_writer(&mut self) -> &mut Writer {
        &mut self.saving.writer
    }

    /// The folders that callbacks of the run write checkpoints to.
    pub(crate) fn checkpoint_folders(&mut self) -> &mut Folders {
        &mut self.saving.folders
    }

    /// Whether a checkpoint was written in this run.
    pub(crate) fn has_saved(&self) -> bool {
        self.saving.saved_at.is_some()
    }

    /// The number of optimizer steps since the last checkpoint of this run, or since its beginning: those that are lost if it ends here.
    pub(crate) fn unsaved_steps(&self) -> usize {
        if self.is_restoring() {
            return 0;
        }
        self.global_step().saturating_sub(self.saving.saved_at.unwrap_or(self.saving.resumed_at))
    }

    pub(super) fn record_save(&mut self) {
        self.saving.saved_at = Some(self.global_step());
    }

    /// Whether a part of the checkpoint that the run started from has not been restored yet. A checkpoint written now would lack
    /// that part, and might replace the original.
    pub(crate) fn is_restoring(&self) -> bool {
        self.ckpt_path().is_some() && self.stage() == Stage::Fit && !self.saving.is_restored
    }

    /// Records that the checkpoint has been restored completely.
    pub(crate) fn set_restored(&mut self) {
        self.saving.is_restored = true;
        self.saving.resumed_at = self.global_step();
    }

    /// Keeps the checkpoint that the run is resumed from until training continues.
    pub(crate) fn keep_resumed(&mut self, checkpoint: Checkpoint) {
        self.saving.resumed = Some(checkpoint);
    }

    pub(crate) fn resumed(&self) -> Option<&Checkpoint> {
        self.saving.resumed.as_ref()
    }

    pub(crate) fn resumed_mut(&mut self) -> Option<&mut Checkpoint> {
        self.saving.resumed.as_mut()
    }

    pub(crate) fn take_resumed(&mut self) -> Option<Checkpoint> {
        self.saving.resumed.take()
    }

    /// The loader of the running training epoch.
    pub(crate) fn train_loader(&self) -> Option<&SavedLoader> {
        self.saving.train_loader.as_ref()
    }

    /// Sets the loader of the running training epoch, and the parts of it that other numbers of processes have trained on.
    pub(crate) fn set_train_loader(&mut self, loader: SavedLoader, before: Vec<EpochPart>) {
        self.saving.train_loader = Some(loader);
        self.saving.epoch_parts = before;
    }

    /// The parts of the epoch of the checkpoint that other numbers of processes than this run's have trained on.
    pub(crate) fn parts_of_others(&self) -> Vec<EpochPart> {
        let Some(checkpoint) = self.resumed() else { return Vec::new() };
        let mut parts = checkpoint.metadata.run.epoch_parts.clone();
        let world_size = checkpoint.world_size();
        let batches = self.progress().batches_ready().saturating_sub(parts.iter().map(|part| part.batches).sum());
        if world_size != self.world_size() && batches > 0 {
            parts.push(EpochPart { world_size, batches });
        }
        parts
    }

    pub(super) fn epoch_parts(&self) -> &[EpochPart] {
        &self.saving.epoch_parts
    }

    /// Whether a run with another number of processes can continue within an epoch.
    pub(crate) fn has_divisible_order(&self) -> bool {
        self.saving.has_divisible_order
    }

    pub(crate) fn set_divisible_order(&mut self, is_divisible: bool) {
        self.saving.has_divisible_order = is_divisible;
    }
}
