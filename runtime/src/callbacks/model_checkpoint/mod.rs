//! Writes checkpoints while training, and keeps the best.

mod best;
mod folder;
mod format_spec;
mod name;
mod save;
mod save_last;
mod saved_best;
mod state;
mod when;

pub use save_last::SaveLast;
pub(crate) use saved_best::SavedBest;

use super::monitor::MonitorMode;
use crate::config::{Every, Span, Stopwatch};
use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::json;
use crate::location;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::{Run, State};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Writes a checkpoint every so often, and keeps the best by a logged metric, or the newest. Lightning's
/// [`ModelCheckpoint`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelCheckpoint.html), with its
/// defaults: one file, written at the end of each epoch over the one before.
///
/// A trainer has one, unless `enable_checkpointing` is false.
///
/// # What a kill or a power cut leaves
/// Each save is a sequence of operations, each of which is complete, and forced to the disk, before the next one begins:
///
/// 1. Folders that are missing are made, from the top, and each is forced to the disk with the name of the next one.
/// 2. The checkpoint is written to a temporary file in its folder, `.incoming-…`, and forced to the disk.
/// 3. The temporary file is renamed to the checkpoint's name, and the folder is forced to the disk.
/// 4. `last.ckpt` follows in the same way: a copy, or a link that replaces the one before.
/// 5. The new checkpoint is read again and verified.
/// 6. The checkpoints that it outdates are removed.
///
/// So whatever the moment, every file with a checkpoint's name is complete, `last.ckpt` leads to one of them, and from the first
/// save on there is a checkpoint. The checkpoint that a run began from, by whichever name, and files outside of `dirpath` are
/// never removed. Temporary files that a killed run left are removed by the runs after it, once they are a day old.
///
/// # Several runs in one folder
/// A run has the folder of its checkpoints to itself. A run that finds `dirpath` in use by another one that is still running
/// writes to `version_1`, `version_2`, … in it, and says so. The lock on the folder is the operating system's and ends with the
/// process, so that a run can be resumed after a kill.
///
/// ```
/// use tch_lightning::{callbacks::{ModelCheckpoint, MonitorMode}, Every};
///
/// let best = ModelCheckpoint::new().monitor("val_acc").mode(MonitorMode::Max).save_top_k(3);
/// let hourly = ModelCheckpoint::new().every(Every::Time(std::time::Duration::from_secs(3600)));
/// assert_eq!((best.save_top_k, hourly.save_top_k), (3, 1));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ModelCheckpoint {
    /// The folder; a leading `~` is the user's home directory. Default `checkpoints` in the run's folder.
    pub dirpath: Option<PathBuf>,
    /// The file's name without its ending, with values in braces: `{epoch}-{val_loss:.2f}`. Default `{epoch}-{step}`.
    ///
    /// A value's format is one of Python's for numbers, such as `.2%` or `03d`; `epoch` and `step` are whole numbers, what is
    /// logged is a float. A name with `/` leads into a folder of its own in `dirpath`. Braces cannot be part of a name.
    pub filename: Option<String>,
    /// The logged metric that tells which checkpoints are best. Default none: the newest is kept.
    pub monitor: Option<String>,
    /// Whether to say what is saved. Default false.
    pub verbose: bool,
    /// Whether to keep a `last.ckpt` of what was saved last. Default no.
    pub save_last: SaveLast,
    /// How many of the best are kept; -1 keeps all, 0 none. Default 1.
    pub save_top_k: i64,
    /// Whether to save where a run ends by an error. Default false.
    pub save_on_exception: bool,
    /// Whether to leave out what is needed to go on training. Default false.
    pub save_weights_only: bool,
    /// Which values of the metric are better. Default the smaller ones.
    pub mode: MonitorMode,
    /// Whether a value's name stands before it in the file's name: `epoch=3`. Default true.
    pub auto_insert_metric_name: bool,
    /// Save after so many optimizer steps. Default none.
    pub every_n_train_steps: Option<usize>,
    /// Save when so much time has passed. Default none.
    pub train_time_interval: Option<Span>,
    /// Save after so many epochs, 0 for never. Default each, where nothing else says when.
    pub every_n_epochs: Option<usize>,
    /// Whether to save at the end of a training epoch instead of the end of validation. By default so where each epoch is
    /// validated once, at its end, or not at all.
    pub save_on_train_epoch_end: Option<bool>,
    /// Whether a name that is taken gets `-v1`, `-v2`, … behind it; otherwise the file is replaced. Default true.
    pub enable_version_counter: bool,
    #[serde(skip)]
    state: State,
    #[serde(skip)]
    run: Run,
}

impl Default for ModelCheckpoint {
    fn default() -> Self {
        Self {
            dirpath: None,
            filename: None,
            monitor: None,
            verbose: false,
            save_last: SaveLast::No,
            save_top_k: 1,
            save_on_exception: false,
            save_weights_only: false,
            mode: MonitorMode::Min,
            auto_insert_metric_name: true,
            every_n_train_steps: None,
            train_time_interval: None,
            every_n_epochs: None,
            save_on_train_epoch_end: None,
            enable_version_counter: true,
            state: State::default(),
            run: Run::default(),
        }
    }
}

impl ModelCheckpoint {
    /// Keeps the newest checkpoint, written at the end of each epoch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the folder.
    pub fn dirpath(self, dirpath: impl Into<PathBuf>) -> Self {
        Self { dirpath: Some(dirpath.into()), ..self }
    }

    /// Sets the file's name, without its ending: see [`filename`](field@Self::filename).
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: Some(filename.into()), ..self }
    }

    /// Sets the metric that tells which checkpoints are best.
    pub fn monitor(self, monitor: impl Into<String>) -> Self {
        Self { monitor: Some(monitor.into()), ..self }
    }

    /// Sets which values of the metric are better.
    pub fn mode(self, mode: MonitorMode) -> Self {
        Self { mode, ..self }
    }

    /// Sets how many of the best are kept; -1 keeps all, 0 none.
    pub fn save_top_k(self, save_top_k: i64) -> Self {
        Self { save_top_k, ..self }
    }

    /// Sets whether there is a `last.ckpt` too.
    pub fn save_last(self, save_last: impl Into<SaveLast>) -> Self {
        Self { save_last: save_last.into(), ..self }
    }

    /// Sets how often to save.
    pub fn every(self, every: Every) -> Self {
        let none = Self { every_n_train_steps: None, every_n_epochs: None, train_time_interval: None, ..self };
        match every {
            Every::OptimizerSteps(steps) => Self { every_n_train_steps: Some(steps), ..none },
            Every::Epochs(epochs) => Self { every_n_epochs: Some(epochs), ..none },
            Every::Time(time) => Self { train_time_interval: Some(Span(time)), ..none },
            Every::Batches(batches) => {
                Self { every_n_epochs: Some(0), run: Run { batches: Some(batches), ..none.run }, ..none }
            }
        }
    }

    /// Sets whether to save where a run ends by an error.
    pub fn save_on_exception(self, save_on_exception: bool) -> Self {
        Self { save_on_exception, ..self }
    }

    /// Sets whether to leave out what is needed to go on training.
    pub fn save_weights_only(self, save_weights_only: bool) -> Self {
        Self { save_weights_only, ..self }
    }

    /// Sets whether to save at the end of a training epoch instead of the end of validation.
    pub fn save_on_train_epoch_end(self, save: bool) -> Self {
        Self { save_on_train_epoch_end: Some(save), ..self }
    }

    /// Sets whether to say what is saved.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// The best checkpoint, or the newest where no metric is monitored.
    pub fn best_model_path(&self) -> Option<&Path> {
        self.state.best_model_path.as_deref()
    }

    /// The metric of the best checkpoint.
    pub fn best_model_score(&self) -> Option<f64> {
        self.state.best_model_score
    }

    /// The `last.ckpt`.
    pub fn last_model_path(&self) -> Option<&Path> {
        self.state.last_model_path.as_deref()
    }

    /// Every checkpoint whose path is known.
    pub(crate) fn known_paths(&self) -> impl Iterator<Item = &Path> {
        let State { best_model_path, last_model_path, last_saved, .. } = &self.state;
        [best_model_path, last_model_path, last_saved].into_iter().flatten().map(PathBuf::as_path)
    }
}

/// The keys of the states of all `ModelCheckpoint`s in a checkpoint begin with this.
const KEY: &str = "ModelCheckpoint(";

/// What can be monitored, and stand in a file's name.
fn candidates(ctx: &RunContext) -> BTreeMap<String, f64> {
    let mut metrics = ctx.callback_metrics();
    metrics.entry("epoch".to_owned()).or_insert(ctx.current_epoch() as f64);
    metrics.entry("step".to_owned()).or_insert(ctx.global_step() as f64);
    metrics
}

impl<M: LightningModule> Callback<M> for ModelCheckpoint {
    fn name(&self) -> &'static str {
        "ModelCheckpoint"
    }

    fn state_key(&self) -> String {
        let Self { mode, every_n_train_steps, every_n_epochs, train_time_interval, .. } = self;
        let monitor = self.monitor.as_deref().unwrap_or("none");
        let every = (every_n_train_steps, every_n_epochs, train_time_interval.map(|Span(time)| time.as_secs_f64()));
        format!("{KEY}{monitor}, {mode}, {every:?})")
    }

    fn instance_key(&self) -> String {
        let dirpath = self.expanded_dirpath().map(|dirpath| format!("{:?}", location::resolved(&dirpath)));
        format!("{}/{}", dirpath.unwrap_or_default(), self.filename.as_deref().unwrap_or_default())
    }

    fn is_monitoring(&self) -> bool {
        true
    }

    fn writes_checkpoints(&self) -> bool {
        true
    }

    fn setup(&mut self, ctx: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        self.check_configuration().map_err(Error::configuration)?;
        if stage == Stage::Fit {
            self.check_folder(ctx)?;
            self.state = State::default();
            let began_from = ctx.ckpt_path().map(location::resolved);
            self.run = Run { batches: self.run.batches, began_from, ..Run::default() };
        }
        Ok(())
    }

    fn on_train_start(&mut self, _: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.run.stopwatch = Stopwatch::started(self.state.since_due);
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        self.after_batch(ctx, M::AUTOMATIC_OPTIMIZATION)
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        if self.saves_at_train_epoch_end(ctx) { self.after_epoch(ctx) } else { Ok(()) }
    }

    fn on_validation_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        if self.saves_at_train_epoch_end(ctx) { Ok(()) } else { self.after_validation(ctx) }
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        if self.state.last_saved.is_none() && !ctx.is_fast_dev_run() { self.save_last_one(ctx) } else { Ok(()) }
    }

    fn on_exception(&mut self, ctx: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        self.after_exception(ctx)
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        if self.train_time_interval.is_some() {
            self.state.since_due = self.run.stopwatch.elapsed();
        }
        Ok(json::to_value(&State { monitor: self.monitor.clone(), ..self.state.absolute() })?)
    }

    fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        let saved: State = json::from_value(state_dict)?;
        if let Some(folder) = self.taken_over(ctx, &saved.dirpath) {
            self.state = saved.within(&folder);
        } else {
            // the files are elsewhere, and are left alone there
            let State { best_model_path, last_global_step_saved, last_batch_saved, since_due, is_deferred, .. } = saved;
            self.state = State {
                best_model_path,
                last_global_step_saved,
                last_batch_saved,
                since_due,
                is_deferred,
                ..State::default()
            };
        }
        Ok(())
    }
}
