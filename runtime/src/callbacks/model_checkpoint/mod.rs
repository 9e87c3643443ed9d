//! Writes checkpoints during training, and keeps the best.

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

use super::monitor::{IntoMonitorMode, MonitorMode};
use crate::config::{Every, Span, Stopwatch};
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::paths;
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::{Run, State};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes checkpoints at regular intervals, and keeps the newest or, by a logged metric, the best. Lightning's
/// [`ModelCheckpoint`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelCheckpoint.html), with its
/// defaults: one file, which each epoch replaces at its end.
///
/// A trainer adds one by default; set `enable_checkpointing` to false to omit it.
///
/// # After a kill or a power failure
/// A save is a sequence of operations. Each is complete, and synchronized to the disk, before the next begins:
///
/// 1. Missing folders are created, parents first, and each is synchronized with the entry of the next.
/// 2. The checkpoint is written to a temporary file in its folder, `.incoming-…`, which is synchronized.
/// 3. The temporary file is renamed to the checkpoint's name, and the folder is synchronized.
/// 4. `last.ckpt` is written in the same way, as a copy or as a link that replaces the previous one.
/// 5. The new checkpoint is re-read and verified.
/// 6. The checkpoints that it supersedes are removed.
///
/// At any moment, therefore, every file with a checkpoint's name is complete, `last.ckpt` is or leads to a complete checkpoint,
/// and after the first save at least one checkpoint exists. The checkpoint that a run started from, under any of its names, and
/// files outside `dirpath` are never removed. Later runs remove the temporary files of a killed run once they are a day old.
///
/// # Several runs in one folder
/// A run locks the folder of its checkpoints. If another running process has locked `dirpath`, the run prints a warning and
/// writes to `version_1`, `version_2`, … inside it. The operating system releases the lock when the process ends, so that a run
/// can be resumed after a kill.
///
/// ```
/// use tch_lightning::{callbacks::{ModelCheckpoint, MonitorMode}, Every};
///
/// let best = ModelCheckpoint::new().monitor("val_acc").mode(MonitorMode::Max).save_top_k(3);
/// let hourly = ModelCheckpoint::new().train_time_interval(std::time::Duration::from_secs(3600));
/// assert_eq!((best.save_top_k, hourly.save_top_k), (3, 1));
/// assert_eq!(ModelCheckpoint::new().every_n_epochs(5), ModelCheckpoint::new().every(Every::Epochs(5)));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ModelCheckpoint {
    /// The folder of the checkpoints; a leading `~` is the user's home directory. Default `checkpoints` in the run's folder.
    pub dirpath: Option<PathBuf>,
    /// The name of the files without their extension, with values in braces: `{epoch}-{val_loss:.2f}`. Default `{epoch}-{step}`.
    ///
    /// The format of a value is one of Python's for numbers, such as `.2%` or `03d`; `epoch` and `step` are integers, logged
    /// values are floats. A `/` in the name creates a subfolder of `dirpath`. The name itself cannot contain braces.
    pub filename: Option<String>,
    /// The logged metric by which checkpoints are ranked. Default none: the newest is kept.
    pub monitor: Option<String>,
    /// Whether to print each save. Default false.
    pub verbose: bool,
    /// Whether to keep a `last.ckpt`, a copy of or a link to the latest checkpoint. Default no.
    pub save_last: SaveLast,
    /// The number of best checkpoints to keep; -1 keeps all, 0 none. Default 1.
    pub save_top_k: i64,
    /// Whether to save when a run fails. Default false.
    pub save_on_exception: bool,
    /// Whether to save only the module's weights, without the state that resuming a run requires. Default false.
    pub save_weights_only: bool,
    /// Whether to save parameters that are frozen and in no optimizer. Without them, the checkpoint has their checksum, and is loaded
    /// into a module that has the same values, such as those of a file of pretrained weights. Default true.
    pub save_frozen: bool,
    /// Whether smaller or larger values of the metric are better. Default smaller.
    pub mode: MonitorMode,
    /// Whether to precede each value in the file's name with the name of the value: `epoch=3`. Default true.
    pub auto_insert_metric_name: bool,
    /// The number of optimizer steps between two saves. Default none.
    pub every_n_train_steps: Option<usize>,
    /// The time between two saves. Default none.
    pub train_time_interval: Option<Span>,
    /// The number of epochs between two saves; 0 never saves. Default 1, unless another interval is set.
    pub every_n_epochs: Option<usize>,
    /// Whether to save at the end of a training epoch instead of the end of validation. Default true if each epoch is
    /// validated once, at its end, or not at all.
    pub save_on_train_epoch_end: Option<bool>,
    /// Whether to append `-v1`, `-v2`, … to the name of a file that exists; otherwise the file is replaced. Default true.
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
            save_frozen: true,
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
    /// Creates a callback that saves at the end of each epoch and keeps the newest checkpoint.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the folder of the checkpoints.
    pub fn dirpath(self, dirpath: impl Into<PathBuf>) -> Self {
        Self { dirpath: Some(dirpath.into()), ..self }
    }

    /// Sets the name of the files without their extension: see [`filename`](field@Self::filename).
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: Some(filename.into()), ..self }
    }

    /// Sets the metric by which checkpoints are ranked.
    pub fn monitor(self, monitor: impl Into<String>) -> Self {
        Self { monitor: Some(monitor.into()), ..self }
    }

    /// Sets whether smaller or larger values of the metric are better.
    pub fn mode(self, mode: impl IntoMonitorMode) -> Self {
        Self { mode: mode.into_mode(), ..self }
    }

    /// Sets the number of best checkpoints to keep; -1 keeps all, 0 none.
    pub fn save_top_k(self, save_top_k: i64) -> Self {
        Self { save_top_k, ..self }
    }

    /// Sets whether to keep a `last.ckpt`, as a copy or as a link.
    pub fn save_last(self, save_last: impl Into<SaveLast>) -> Self {
        Self { save_last: save_last.into(), ..self }
    }

    /// Sets the number of epochs between two saves, as `every(Every::Epochs(epochs))`.
    pub fn every_n_epochs(self, epochs: usize) -> Self {
        self.every(Every::Epochs(epochs))
    }

    /// Sets the number of optimizer steps between two saves, as `every(Every::OptimizerSteps(steps))`.
    pub fn every_n_train_steps(self, steps: usize) -> Self {
        self.every(Every::OptimizerSteps(steps))
    }

    /// Sets the time between two saves, as `every(Every::Time(interval))`.
    pub fn train_time_interval(self, interval: Duration) -> Self {
        self.every(Every::Time(interval))
    }

    /// Sets the interval between two saves, in place of any other.
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

    /// Sets whether to save when a run fails.
    pub fn save_on_exception(self, save_on_exception: bool) -> Self {
        Self { save_on_exception, ..self }
    }

    /// Sets whether to save only the module's weights.
    pub fn save_weights_only(self, save_weights_only: bool) -> Self {
        Self { save_weights_only, ..self }
    }

    /// Sets whether to save frozen parameters: see [`save_frozen`](field@Self::save_frozen).
    pub fn save_frozen(self, save_frozen: bool) -> Self {
        Self { save_frozen, ..self }
    }

    /// Sets whether to save at the end of a training epoch instead of the end of validation.
    pub fn save_on_train_epoch_end(self, save: bool) -> Self {
        Self { save_on_train_epoch_end: Some(save), ..self }
    }

    /// Sets whether to precede each value in the file's name with the name of the value.
    pub fn auto_insert_metric_name(self, auto_insert_metric_name: bool) -> Self {
        Self { auto_insert_metric_name, ..self }
    }

    /// Sets whether to append `-v1`, `-v2`, … to the name of a file that exists.
    pub fn enable_version_counter(self, enable_version_counter: bool) -> Self {
        Self { enable_version_counter, ..self }
    }

    /// Sets whether to print each save.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Returns the path of the best checkpoint, or of the newest if no metric is monitored.
    pub fn best_model_path(&self) -> Option<&Path> {
        self.state.best_model_path.as_deref()
    }

    /// Returns the value of the metric for the best checkpoint.
    pub fn best_model_score(&self) -> Option<f64> {
        self.state.best_model_score
    }

    /// Returns the path of `last.ckpt`.
    pub fn last_model_path(&self) -> Option<&Path> {
        self.state.last_model_path.as_deref()
    }

    /// Returns the paths of the best, the last and the latest checkpoint.
    pub(crate) fn known_paths(&self) -> impl Iterator<Item = &Path> {
        let State { best_model_path, last_model_path, last_saved, .. } = &self.state;
        [best_model_path, last_model_path, last_saved].into_iter().flatten().map(PathBuf::as_path)
    }
}

/// The prefix of the keys of all `ModelCheckpoint`s' states in a checkpoint.
const KEY: &str = "ModelCheckpoint(";

/// Returns the values that can be monitored and inserted into a file's name, which are those of rank 0.
fn candidates(ctx: &RunContext) -> Result<BTreeMap<String, f64>> {
    let mut metrics = BTreeMap::from(ctx.callback_metrics());
    metrics.entry("epoch".to_owned()).or_insert(ctx.current_epoch() as f64);
    metrics.entry("step".to_owned()).or_insert(ctx.global_step() as f64);
    Ok(ctx.values_of_rank_zero(metrics)?)
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
        let dirpath = self.expanded_dirpath().map(|dirpath| format!("{:?}", paths::resolved(&dirpath)));
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
            let began_from = ctx.ckpt_path().map(paths::resolved);
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
        ctx: &mut Context<Step>,
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
        let (mode, lightning_key) = (self.mode, self.lightning_key());
        Ok(State { monitor: self.monitor.clone(), mode, lightning_key, ..self.state.absolute() }.to_json()?)
    }

    fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        let saved = State::from_json(state_dict)?;
        if let Some(folder) = self.taken_over(ctx, &saved.dirpath) {
            self.state = saved.within(&folder);
        } else {
            // the files are in another folder, where they stay
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
