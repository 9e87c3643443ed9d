//! The end of a run by an error.

use super::found_checkpoint::newest_checkpoint;
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::RunStatus;
use crate::messages;
use crate::module::{LightningModule, LightningModuleTable, Run, call_hook};
use crate::panic;
use crate::strategy::StrategyError;
use std::fmt;
use std::path::{Path, PathBuf};

impl<M: LightningModule> Run<'_, M> {
    /// Calls `on_exception`, and finalizes the loggers. As in Lightning, `teardown` is not called. Further errors are logged as
    /// warnings: the original error is reported.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        let ends_with_the_others = matches!(error, Error::Interrupted { .. }) && self.ctx.has_agreed_on_signal();
        let mut error = if ends_with_the_others { error } else { self.share(error) };
        self.ctx.warn_of_failing_loggers(true);
        warn(self.ctx.go_back());
        let mut written = None;
        for index in 0..self.callbacks.list.len() {
            written = self.tell_callback(index, &error).or(written);
        }
        warn(LightningModuleTable::on_exception(self.module, self.ctx, &error));
        written = self.save().or(written);
        warn(self.data.on_exception(self.ctx, &error));
        written = self.save().or(written);
        warn(self.ctx.checkpoint_writer().finish());
        warn(self.ctx.log_saved_checkpoints());
        warn(self.ctx.finalize_loggers(RunStatus::Failed));
        self.ctx.warn_of_failing_loggers(false);
        if let Error::Interrupted { checkpoint, lost_steps, is_global_zero, .. } = &mut error {
            *is_global_zero = self.ctx.is_global_zero();
            *lost_steps = self.ctx.unsaved_steps();
            *checkpoint = written.or_else(|| newest(self.ctx)).or_else(|| self.ctx.ckpt_path().map(Path::to_owned));
        }
        self.end_run_file(Some(&error));
        error
    }

    /// Reports the error to the other processes, which wait for this one. Returns the error of the process that failed first.
    fn share(&mut self, error: Error) -> Error {
        self.ctx.separate();
        let (signal, cause) = match &error {
            Error::Interrupted { signal, .. } => (Some(*signal), format!("interrupted by {signal}")),
            other => (None, other.to_string()),
        };
        match (self.ctx.strategy_mut().fail(&cause, signal), error) {
            (None, error) | (Some(StrategyError::Peer { signal: Some(_), .. }), error @ Error::Interrupted { .. }) => {
                error
            }
            (Some(StrategyError::Peer { signal: Some(signal), .. }), _) => {
                self.ctx.interrupted_by(signal, self.ctx.batch_idx()).into()
            }
            (Some(first), _) => first.into(),
        }
    }

    fn tell_callback(&mut self, index: usize, error: &Error) -> Option<PathBuf> {
        let (callback, module) = (&mut self.callbacks.list[index], &mut *self.module);
        warn(panic::catch(|| {
            let name = callback.name();
            Ok(call_hook::callback(Hook::OnException, name, self.ctx, &mut |ctx| {
                callback.on_exception(ctx.at(), module, error)
            })?)
        }));
        self.save()
    }

    /// Writes the requested checkpoints. Returns the first of them.
    fn save(&mut self) -> Option<PathBuf> {
        if self.ctx.is_restoring() {
            self.ctx.take_save_requests();
            return None;
        }
        let asked = self.ctx.save_requests().iter().find(|request| request.link_to.is_none());
        let path = asked.map(|request| request.path.clone());
        // user code that is not a hook may panic here: `state_key` of callbacks, and the module's `parameters`
        let saved = panic::catch(|| {
            self.save_what_was_asked_for()?;
            Ok(self.save_what_is_pending()?)
        });
        let path = path.filter(|_| saved.is_ok());
        warn(saved);
        path
    }
}

fn warn(outcome: Result<(), impl fmt::Display>) {
    if let Err(error) = outcome {
        messages::warn_after_error(&error);
    }
}

/// Returns the newest checkpoint that the run has written.
fn newest(ctx: &RunContext) -> Option<PathBuf> {
    newest_checkpoint(ctx.made_log_dir()?)
}
