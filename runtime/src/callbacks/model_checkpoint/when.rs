//! Decides when to save, by Lightning's rules: a save is deferred until its metric is available.

use super::name::Template;
use super::{ModelCheckpoint, SaveLast, candidates};
use crate::choice::FieldMistake;
use crate::config::Span;
use crate::context::RunContext;
use crate::stage::Stage;
use crate::strategy::Operation;
use anyhow::Result;

impl ModelCheckpoint {
    /// Returns the first field that is out of range, or the fields that do not fit together.
    pub(crate) fn mistake(&self) -> Option<FieldMistake> {
        if self.save_top_k < -1 {
            return Some(FieldMistake::new(
                "save_top_k",
                format!("must be at least -1, but it is {}", self.save_top_k),
            ));
        }
        if self.monitor.as_ref().is_some_and(String::is_empty) {
            return Some(FieldMistake::new("monitor", "must be the name of a logged metric, but it is empty"));
        }
        if self.dirpath.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
            return Some(FieldMistake::new("dirpath", "must be a folder, but it is empty"));
        }
        Some(FieldMistake::new("", self.check_configuration().err()?))
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// All mistakes in it, joined by semicolons.
    pub(super) fn check_configuration(&self) -> Result<(), String> {
        let triggers = [
            self.every_n_train_steps.is_some_and(|steps| steps > 0),
            self.every_n_epochs.is_some_and(|epochs| epochs > 0),
            self.train_time_interval.is_some(),
        ];
        let mut mistakes = Vec::new();
        if self.save_top_k < -1 {
            mistakes
                .push(format!("`save_top_k` of ModelCheckpoint must be at least -1, but it is {}", self.save_top_k));
        }
        if self.monitor.is_none() && self.save_top_k > 1 {
            mistakes.push(format!(
                "`save_top_k` of ModelCheckpoint is {}, which requires a metric: set `monitor`, or set `save_top_k` to 1, 0 (none) or -1 (all)",
                self.save_top_k
            ));
        }
        if triggers.iter().filter(|trigger| **trigger).count() > 1 {
            mistakes.push(
                "`every_n_train_steps`, `every_n_epochs` and `train_time_interval` of ModelCheckpoint exclude each other: set one of them"
                    .to_owned(),
            );
        }
        mistakes.extend(Template::parse(self.filename.as_deref()).err());
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("; ")) }
    }

    /// Returns the number of epochs between two saves; 0 never saves.
    fn epochs(&self) -> usize {
        let by_others = self.every_n_train_steps.is_some() || self.train_time_interval.is_some();
        self.every_n_epochs.unwrap_or(usize::from(!by_others))
    }

    /// Whether to save at the end of training epochs instead of the end of validation.
    pub(super) fn saves_at_train_epoch_end(&self, ctx: &RunContext) -> bool {
        let config = ctx.config();
        let has_validation = ctx.num_val_batches().iter().any(|batches| *batches != Some(0));
        self.save_on_train_epoch_end.unwrap_or_else(|| {
            config.check_val_every_n_epoch == Some(1) && (!has_validation || config.val_check_interval.is_one())
        })
    }

    /// Whether a save is to be skipped: outside training, and after a save at the same step.
    fn is_saved_already(&self, ctx: &RunContext) -> bool {
        ctx.stage() != Stage::Fit || ctx.is_fast_dev_run() || ctx.sanity_checking() || self.is_saved_here(ctx)
    }

    /// Whether the last save was at this optimizer step, or at this batch if the interval is in batches.
    fn is_saved_here(&self, ctx: &RunContext) -> bool {
        match self.run.batches {
            Some(_) => self.state.last_batch_saved == ctx.total_batches(),
            None => self.state.last_global_step_saved == ctx.global_step(),
        }
    }

    fn is_due_after_batch(&mut self, ctx: &RunContext) -> Result<bool> {
        let by_steps =
            self.every_n_train_steps.is_some_and(|steps| steps > 0 && ctx.global_step().is_multiple_of(steps));
        let by_batches = self.run.batches.is_some_and(|batches| ctx.total_batches().is_multiple_of(batches));
        let by_time = match self.train_time_interval {
            // the clocks of several processes differ
            Some(Span(time)) => ctx.of_rank_zero(Operation::Intervals, self.run.stopwatch.has_passed(time))?,
            None => false,
        };
        if by_time {
            self.run.stopwatch.restart();
        }
        Ok(by_steps || by_batches || by_time)
    }

    pub(super) fn after_batch(&mut self, ctx: &mut RunContext, automatic: bool) -> Result<()> {
        let is_saved = self.is_saved_already(ctx);
        if !self.is_due_after_batch(ctx)? || (!automatic && is_saved) {
            return Ok(());
        }
        let metrics = candidates(ctx)?;
        if let Some(monitor) = &self.monitor {
            // a metric of validation is outdated until the validation after this batch
            let is_to_come = automatic && !self.saves_at_train_epoch_end(ctx) && validates_after_this_batch(ctx);
            if !metrics.contains_key(monitor) || is_to_come {
                self.state.is_deferred = true;
                return Ok(());
            }
        }
        if is_saved {
            return Ok(());
        }
        self.save_top(ctx, &metrics)?;
        self.save_last_one(ctx)
    }

    pub(super) fn after_epoch(&mut self, ctx: &mut RunContext) -> Result<()> {
        if self.is_saved_already(ctx) {
            return Ok(());
        }
        let epochs = self.epochs();
        if epochs > 0 && (ctx.current_epoch() + 1).is_multiple_of(epochs) {
            self.save_top(ctx, &candidates(ctx)?)?;
        }
        // a copy follows a save of this epoch; a link follows the last save
        if self.is_saved_here(ctx) || (self.save_last == SaveLast::Link && self.state.last_saved.is_some()) {
            self.save_last_one(ctx)?;
        }
        Ok(())
    }

    pub(super) fn after_validation(&mut self, ctx: &mut RunContext) -> Result<()> {
        if self.is_saved_already(ctx) {
            return Ok(());
        }
        if !std::mem::take(&mut self.state.is_deferred) {
            return self.after_epoch(ctx);
        }
        self.save_top(ctx, &candidates(ctx)?)?;
        self.save_last_one(ctx)
    }

    pub(super) fn after_exception(&mut self, ctx: &mut RunContext) -> Result<()> {
        let is_training = ctx.stage() == Stage::Fit && !ctx.is_restoring();
        if !self.save_on_exception
            || !is_training
            || self.is_saved_here(ctx)
            || ctx.is_fast_dev_run()
            || ctx.sanity_checking()
        {
            return Ok(());
        }
        let metrics = candidates(ctx)?;
        let path = self.free_path(ctx, &metrics, None)?;
        self.save(ctx, path, None);
        self.save_last_one(ctx)
    }
}

/// Whether the current batch is the last of its epoch, and validation follows.
fn validates_after_this_batch(ctx: &RunContext) -> bool {
    let has_validation = ctx.num_val_batches().iter().any(|batches| *batches != Some(0));
    let every = ctx.config().check_val_every_n_epoch;
    let in_this_epoch = every.is_none_or(|epochs| (ctx.current_epoch() + 1).is_multiple_of(epochs));
    ctx.is_last_batch() && has_validation && in_this_epoch
}
