//! Saves the best checkpoints, the newest, and `last.ckpt`.

use super::super::monitor::NotLogged;
use super::best::Kept;
use super::{ModelCheckpoint, SaveLast};
use crate::checkpoint::SaveRequest;
use crate::context::RunContext;
use crate::messages;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;

impl ModelCheckpoint {
    /// Returns the number of best checkpoints to keep; `None` keeps all.
    fn top_k(&self) -> Option<usize> {
        usize::try_from(self.save_top_k).ok()
    }

    /// Saves a checkpoint if it is one of the best.
    pub(super) fn save_top(&mut self, ctx: &mut RunContext, metrics: &BTreeMap<String, f64>) -> Result<()> {
        if self.save_top_k == 0 {
            return Ok(());
        }
        let Some(monitor) = &self.monitor else { return self.save_newest(ctx, metrics) };
        match metrics.get(monitor) {
            Some(score) if self.state.best.takes(*score, self.top_k(), self.mode) => {
                self.save_best(ctx, metrics, *score)
            }
            Some(_) => Ok(()),
            None => self.miss(ctx, monitor, metrics),
        }
    }

    /// Reports a missing metric: a warning before the first validation, which may yet log it, and an error after it.
    fn miss(&self, ctx: &RunContext, monitor: &str, metrics: &BTreeMap<String, f64>) -> Result<()> {
        let logged = metrics.keys().filter(|name| !matches!(name.as_str(), "epoch" | "step")).cloned().collect();
        let missing = NotLogged { by: "ModelCheckpoint", monitor: monitor.to_owned(), logged };
        if ctx.has_validated() {
            return Err(missing.into());
        }
        messages::warning!("{missing}");
        Ok(())
    }

    fn save_newest(&mut self, ctx: &mut RunContext, metrics: &BTreeMap<String, f64>) -> Result<()> {
        let before = self.state.best_model_path.clone();
        let path = self.free_path(ctx, metrics, before.as_deref())?;
        self.state.best_model_path = Some(path.clone());
        let outdated = before.filter(|_| self.save_top_k == 1);
        self.save(ctx, path, outdated);
        Ok(())
    }

    fn save_best(&mut self, ctx: &mut RunContext, metrics: &BTreeMap<String, f64>, score: f64) -> Result<()> {
        let is_full = self.top_k().is_some_and(|top_k| self.state.best.len() >= top_k);
        let outdated = if is_full { self.state.best.remove_worst(self.mode) } else { None };
        let path = self.free_path(ctx, metrics, outdated.as_deref())?;
        // NaN ranks below every number
        self.state.best.add(path.clone(), if score.is_nan() { self.mode.worst() } else { score });
        if let Some(Kept(best, score)) = self.state.best.best(self.mode) {
            self.state.best_model_path = Some(best.clone());
            self.state.best_model_score = Some(*score);
        }
        self.save(ctx, path, outdated);
        Ok(())
    }

    /// Requests the checkpoint, and the removal of the one that it supersedes.
    pub(super) fn save(&mut self, ctx: &mut RunContext, path: PathBuf, outdated: Option<PathBuf>) {
        if self.verbose {
            messages::info!(
                { epoch = ctx.current_epoch(), step = ctx.global_step() },
                "epoch {}, step {}: saving {}",
                ctx.current_epoch(),
                ctx.global_step(),
                path.display()
            );
        }
        self.state.last_global_step_saved = ctx.global_step();
        self.state.last_batch_saved = ctx.total_batches();
        self.state.last_saved = Some(path.clone());
        let mut request = SaveRequest::new(path.clone());
        request = request.weights_only(self.save_weights_only).save_frozen(self.save_frozen);
        if let Some(monitor) = &self.monitor
            && let Some(score) = ctx.callback_metrics().get(monitor)
        {
            request = request.score(monitor.clone(), score);
        }
        if let Some(outdated) = outdated.filter(|outdated| self.may_remove(outdated, &path)) {
            request = request.then_remove(outdated);
        }
        ctx.save_checkpoint(request);
    }

    /// Saves `last.ckpt`.
    pub(super) fn save_last_one(&mut self, ctx: &mut RunContext) -> Result<()> {
        if self.save_last == SaveLast::No {
            return Ok(());
        }
        let before = self.state.last_model_path.clone();
        let path = self.free(ctx, "last", before.as_deref())?;
        match self.state.last_saved.clone().filter(|_| self.save_last == SaveLast::Link && self.save_top_k != 0) {
            // the target has been removed: the next save links to its own file
            Some(target) if !ctx.is_taken(&target) => return Ok(()),
            Some(target) => ctx.save_checkpoint(SaveRequest::link(path.clone(), target)),
            None => self.save(ctx, path.clone(), before),
        }
        self.state.last_model_path = Some(path);
        Ok(())
    }
}
