//! Profiling of a run: the user's regions, and the calls by which the loops say what they do.

use super::{Context, RunContext};
use crate::file_error::FileError;
use crate::messages;
use crate::paths;
use crate::profiler::{ActionTime, FinishedTrace, HookOwner, OpenAction, Recorder, Region};
use crate::{hook::Hook, terminal};
use std::path::{Path, PathBuf};

impl<At> Context<At> {
    /// Measures `work` under a name, if the run has a [`Profiler`](crate::profiler::Profiler). Lightning's `self.trainer.profiler.profile(name)`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore, net: nn::Linear }
    /// # impl Model { fn augment(&self, images: &Tensor) -> Tensor { images * 1.0 } }
    /// #[lightning_module]
    /// impl Model {
    ///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Tensor {
    ///         let images = ctx.profile("augment", |_| self.augment(&batch.0));
    ///         self.net.forward(&images).mse_loss(&batch.1, tch::Reduction::Mean)
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    pub fn profile<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.run.profile(name, |run| work(run.at()))
    }
}

impl RunContext {
    /// Measures `work` under a name, as [`Context::profile`] does, in a function that several hooks call.
    pub fn profile<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let open = self.recorder.as_mut().map(|recorder| recorder.enter_named(name));
        let value = work(self);
        self.leave_region(open);
        value
    }

    /// Returns the times of the actions of the current or last run, the largest first; empty without a
    /// [`Profiler`](crate::profiler::Profiler) or a dashboard. An action that is running does not count yet.
    ///
    /// ```
    /// use tch_lightning::RunContext;
    ///
    /// fn training_steps(ctx: &RunContext) -> u64 {
    ///     let steps = ctx.action_times().into_iter().filter(|action| action.name.ends_with(".training_step"));
    ///     steps.map(|action| action.calls).sum()
    /// }
    /// ```
    pub fn action_times(&self) -> Vec<ActionTime> {
        self.recorder.as_ref().map(|recorder| recorder.times()).unwrap_or_default()
    }

    /// Returns the path for this process: that of rank 1 of `hooks.txt` is `hooks.rank1.txt`.
    fn file_of_rank(&self, path: &Path) -> PathBuf {
        if self.is_global_zero() {
            return path.to_owned();
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy());
        let of_rank = format!("rank{}", self.rank().global);
        path.with_extension(extension.map_or_else(|| of_rank.clone(), |extension| format!("{of_rank}.{extension}")))
    }

    /// Begins to observe a run of `module`, the name of a type, if the configuration says so.
    pub(crate) fn begin_profiling(&mut self, module: &'static str) -> Result<(), FileError> {
        let hooks = self.config.trace_hooks.as_deref().map(|path| self.file_of_rank(&paths::expanded(path)));
        let measures = self.config.profiler.is_some() || self.config.dashboard;
        let recorder = Recorder::begin(module, self.device, self.config.profiler, measures, hooks.as_deref())?;
        self.recorder = recorder.map(Box::new);
        Ok(())
    }

    /// Begins a step of a trace's schedule, before its batch is awaited.
    #[inline]
    pub(crate) fn begin_profiler_step(&mut self) {
        if let Some(finished) = self.recorder.as_mut().and_then(|recorder| recorder.begin_step()) {
            self.write_trace(&finished);
        }
    }

    /// Ends the observation of a run: writes the trace, and prints the table.
    pub(crate) fn end_profiling(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let finished = recorder.end();
        if let Some((table, advice)) = recorder.summary().filter(|_| self.rank.is_global_zero()) {
            terminal::say(table);
            if let Some(advice) = advice {
                messages::info!("{advice}");
            }
        }
        if let Some(finished) = finished {
            self.write_trace(&finished);
        }
    }

    /// Writes a trace into the run's folder. If it cannot be written, the run continues without it.
    #[cold]
    fn write_trace(&mut self, finished: &FinishedTrace) {
        let written = self.log_dir().map(|folder| folder.join(finished.file_name())).and_then(|path| {
            let failed = |source| FileError { what: "cannot write the trace", path: path.clone(), source };
            finished.write(&path).map_err(failed).map(|()| path)
        });
        match written {
            Ok(path) => messages::info!("the trace is {}: open it at https://ui.perfetto.dev", path.display()),
            Err(error) => messages::warning!("{error}"),
        }
    }

    /// Tells the profiler the number of workers that load the training batches.
    pub(crate) fn set_training_workers(&mut self, workers: Option<usize>) {
        let waits = !self.device().is_cuda();
        if let Some(recorder) = self.recorder.as_mut().filter(|_| waits) {
            recorder.set_loading(workers);
        }
    }

    /// Begins a part of the loops.
    #[inline]
    pub(crate) fn enter_region(&mut self, region: Region) -> Option<OpenAction> {
        self.recorder.as_mut().map(|recorder| recorder.enter_region(region))
    }

    /// Ends an action.
    #[inline]
    pub(crate) fn leave_region(&mut self, open: Option<OpenAction>) {
        if let (Some(recorder), Some(open)) = (&mut self.recorder, open) {
            recorder.leave(open);
        }
    }

    /// Begins the call of a hook.
    #[inline]
    pub(super) fn enter_observed_hook(&mut self, hook: Hook, owner: HookOwner) -> Option<OpenAction> {
        self.recorder.as_ref()?;
        let (location, stage) = (self.location(), self.running_stage());
        self.recorder.as_mut().map(|recorder| recorder.enter_hook(hook, owner, location, stage))
    }
}
