use super::RunContext;
use crate::checkpoint::Checkpoint;
use std::path::{Path, PathBuf};

/// A checkpoint that a hook asked for.
///
/// `on_save_checkpoint` is called when the hook returns, so that the states of all callbacks are kept, that of the one that asked
/// included. The file is written when the run is where it can go on from: within a batch, when its last hooks were called; in
/// validation, when it is over; at the end of an epoch, when its schedulers have stepped and its row is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveRequest {
    pub(crate) path: PathBuf,
    pub(crate) weights_only: bool,
    pub(crate) link_to: Option<PathBuf>,
    pub(crate) then_remove: Vec<PathBuf>,
}

/// A checkpoint whose hooks were called, and that is yet to be written; nothing to write where it is a link.
pub(crate) struct PendingSave {
    pub(crate) request: SaveRequest,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl SaveRequest {
    /// A whole checkpoint at `path`; a file that is there is replaced.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), weights_only: false, link_to: None, then_remove: Vec::new() }
    }

    /// A symbolic link at `path` to the checkpoint `target`, in place of another copy.
    pub fn link(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self { link_to: Some(target.into()), ..Self::new(path) }
    }

    /// Whether to keep the parameters and buffers alone, without what is needed to go on training.
    pub fn weights_only(self, weights_only: bool) -> Self {
        Self { weights_only, ..self }
    }

    /// A file to remove once the new one is written.
    pub fn then_remove(mut self, path: impl Into<PathBuf>) -> Self {
        self.then_remove.push(path.into());
        self
    }
}

impl RunContext {
    /// Asks for a checkpoint, which is written when the running batch, validation or epoch is over. Lightning's
    /// [`trainer.save_checkpoint`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#save-checkpoint).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::SaveRequest;
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
    pub fn save_checkpoint(&mut self, request: SaveRequest) {
        self.save_requests.push(request);
    }

    /// Whether there is a file at `path`, or one is to come.
    pub(crate) fn is_taken(&self, path: &Path) -> bool {
        let pending = self.pending_saves.iter().map(|pending| &pending.request);
        let is_to_come = pending.chain(&self.save_requests).any(|request| request.path == path);
        is_to_come || self.checkpoint_writer.has(path) || path.exists()
    }
}
