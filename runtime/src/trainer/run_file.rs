//! `run.json` in the folder of a run: how it began and ended.

use crate::atomic_file;
use crate::callbacks::{ModelCheckpoint, MonitorMode};
use crate::context::RunContext;
use crate::error::Error;
use crate::error_chain::in_one_line;
use crate::git_revision::git_revision;
use crate::hook::Hook;
use crate::loggers::{Graph, GraphTensor};
use crate::module::{LightningModule, Run, SourceLocation, overridden_hooks, source_locations, variables};
use crate::native::libtorch_version;
use crate::profiler::{LayerCall, ObservedStep};
use crate::since_1970::since_1970;
use crate::stage::Stage;
use crate::{messages, panic};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tch::nn::VarStore;

/// The name of the file.
pub(crate) const RUN_FILE: &str = "run.json";

/// How a run ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// The run has not ended, or its process was killed.
    Running,
    Finished,
    Failed,
    /// A signal ended it.
    Interrupted,
}

/// The contents of the file. Fields that an older version did not write are missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunFile {
    pub(crate) outcome: Outcome,
    /// Why the run ended: the reason of a `fit`, or the error.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The verb.
    #[serde(default)]
    pub(crate) stage: String,
    /// The command line.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// The type of the module.
    #[serde(default)]
    pub(crate) module: String,
    /// When the run began and ended, in seconds since 1970.
    pub(crate) started: f64,
    #[serde(default)]
    pub(crate) ended: Option<f64>,
    /// The completed epochs and the optimizer steps.
    #[serde(default)]
    pub(crate) epochs: Option<usize>,
    #[serde(default)]
    pub(crate) steps: Option<usize>,
    /// The metric that ranks checkpoints.
    #[serde(default)]
    pub(crate) monitor: Option<Monitor>,
    #[serde(default)]
    pub(crate) process: Option<ProcessId>,
    #[serde(default)]
    pub(crate) environment: Environment,
    #[serde(default)]
    pub(crate) layers: Vec<Layer>,
    /// The first training step; missing before it has ended, and without a model summary.
    #[serde(default)]
    pub(crate) training_step: Option<StepSize>,
    #[serde(default)]
    pub(crate) hooks: Vec<OverriddenHook>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Monitor {
    pub(crate) metric: String,
    pub(crate) mode: MonitorMode,
}

/// The process of a run, by which another one finds out whether it still runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pub(crate) host: String,
    pub(crate) pid: u32,
    /// When the process began, in seconds since 1970: a later process may have the same number.
    pub(crate) began: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) tch_lightning: String,
    pub(crate) libtorch: String,
    pub(crate) device: String,
    pub(crate) threads: i32,
    pub(crate) system: String,
    pub(crate) git_revision: Option<String>,
}

/// A layer of the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) tensors: Vec<LayerTensor>,
    /// Its calls in the first training step; missing as that is.
    #[serde(default)]
    pub(crate) call: Option<LayerCall>,
}

/// What a training step takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepSize {
    pub(crate) samples: Option<usize>,
    /// Floating-point operations, those of the backward pass included.
    pub(crate) flops: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<i64>,
    pub(crate) kind: String,
    pub(crate) bytes: u64,
    pub(crate) trained: bool,
}

/// A hook that the module overrides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverriddenHook {
    pub(crate) name: String,
    pub(crate) declared_in: String,
    /// The file and the line.
    pub(crate) at: Option<String>,
}

impl ProcessId {
    fn current() -> Self {
        let pid = std::process::id();
        Self { host: host(), pid, began: began(pid).unwrap_or_default() }
    }

    /// Returns whether the process runs; `None` if it belongs to another machine.
    pub(crate) fn runs(&self) -> Option<bool> {
        (self.host == host()).then(|| began(self.pid) == Some(self.began))
    }
}

fn host() -> String {
    System::host_name().unwrap_or_default()
}

fn began(pid: u32) -> Option<u64> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing());
    Some(system.process(pid)?.start_time())
}

impl Environment {
    fn current(ctx: &RunContext) -> Self {
        let system = [System::name(), System::os_version()].into_iter().flatten();
        Self {
            tch_lightning: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: libtorch_version().to_owned(),
            device: format!("{:?}", ctx.device()),
            threads: tch::get_num_threads(),
            system: system.collect::<Vec<_>>().join(" "),
            git_revision: std::env::current_dir().ok().and_then(|folder| git_revision(&folder)),
        }
    }
}

impl Layer {
    fn all(graph: &Graph, observed: Option<&ObservedStep>) -> Vec<Self> {
        let tensor = |tensor: &GraphTensor| LayerTensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            kind: format!("{:?}", tensor.kind),
            bytes: tensor.bytes(),
            trained: tensor.requires_grad,
        };
        let layers = graph.layers.iter();
        layers
            .map(|layer| Self {
                name: layer.name.clone(),
                tensors: layer.tensors.iter().map(tensor).collect(),
                call: observed.and_then(|step| step.layer(&layer.name)).cloned(),
            })
            .collect()
    }
}

fn overridden(hooks: &[Hook], locations: &[SourceLocation]) -> Vec<OverriddenHook> {
    let hook = |hook: &Hook| OverriddenHook {
        name: hook.name().to_owned(),
        declared_in: hook.declared_in().to_owned(),
        at: locations.iter().find(|location| location.hook == *hook).map(ToString::to_string),
    };
    hooks.iter().map(hook).collect()
}

impl<M: LightningModule> Run<'_, M> {
    /// Writes the file of a run that begins, if the run has a folder by now. That of a `fit` stays as it is in a `validate` or `test`
    /// that writes into its folder.
    pub(super) fn begin_run_file(&mut self) {
        let Some(folder) = self.ctx.made_log_dir().map(Path::to_owned) else { return };
        let is_own = self.ctx.is_global_zero() && (self.ctx.stage() == Stage::Fit || !folder.join(RUN_FILE).exists());
        self.ctx.set_writes_run_file(is_own);
        if is_own {
            self.write_run_file(&folder, Outcome::Running, None);
        }
    }

    /// Writes the file again, if the run has written it.
    pub(crate) fn update_run_file(&mut self) {
        let Some(folder) = self.ctx.made_log_dir().filter(|_| self.ctx.writes_run_file()).map(Path::to_owned) else {
            return;
        };
        self.write_run_file(&folder, Outcome::Running, None);
    }

    /// Writes the file of a run that has ended.
    pub(super) fn end_run_file(&mut self, error: Option<&Error>) {
        let is_own = self.ctx.is_global_zero() && (self.ctx.stage() == Stage::Fit || self.ctx.writes_run_file());
        let Some(folder) = self.ctx.made_log_dir().filter(|_| is_own).map(Path::to_owned) else { return };
        let (outcome, reason) = match error {
            None => (Outcome::Finished, self.ctx.end_reason().map(ToString::to_string)),
            Some(error @ Error::Interrupted { .. }) => (Outcome::Interrupted, Some(error.to_string())),
            Some(error) => (Outcome::Failed, Some(error.to_string())),
        };
        self.write_run_file(&folder, outcome, reason);
    }

    /// Writes the file. The run does not need it: an error is a warning.
    fn write_run_file(&mut self, folder: &Path, outcome: Outcome, reason: Option<String>) {
        let path = folder.join(RUN_FILE);
        // the module's `parameters` may panic
        let written = panic::catch(|| {
            let text = serde_json::to_string_pretty(&self.run_file(outcome, reason))?;
            Ok(atomic_file::write(&path, |file| file.write_all(text.as_bytes()))?)
        });
        let written: Result<()> = written.with_context(|| format!("cannot write {}", path.display()));
        if let Err(error) = written {
            messages::warning!("{}", in_one_line(&error));
        }
    }

    fn run_file(&mut self, outcome: Outcome, reason: Option<String>) -> RunFile {
        let monitor = self.callbacks.find::<ModelCheckpoint>();
        RunFile {
            module: std::any::type_name::<M>().to_owned(),
            hooks: overridden(&overridden_hooks::<M>(), &source_locations::<M>()),
            ..run_file(self.module.parameters(), monitor, self.ctx, (outcome, reason))
        }
    }
}

/// Returns the file of a run without the module and its hooks. Not in the method of `Run`, as each program would compile it.
fn run_file(
    parameters: &VarStore,
    monitor: Option<&ModelCheckpoint>,
    ctx: &RunContext,
    (outcome, reason): (Outcome, Option<String>),
) -> RunFile {
    let graph = Graph::of(variables(parameters).iter());
    let monitor = monitor.and_then(|callback| Some((callback.monitor.clone()?, callback.mode)));
    let observed = ctx.observed_step();
    RunFile {
        outcome,
        reason,
        stage: ctx.stage().to_string(),
        command: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        module: String::new(),
        started: since_1970(ctx.started()).as_secs_f64(),
        ended: (outcome != Outcome::Running).then(|| since_1970(SystemTime::now()).as_secs_f64()),
        epochs: Some(ctx.current_epoch()),
        steps: Some(ctx.global_step()),
        monitor: monitor.map(|(metric, mode)| Monitor { metric, mode }),
        process: Some(ProcessId::current()),
        environment: Environment::current(ctx),
        layers: Layer::all(&graph, observed),
        training_step: observed
            .filter(|step| !step.has_failed)
            .map(|step| StepSize { samples: step.samples, flops: step.flops }),
        hooks: Vec::new(),
    }
}
