//! Logs statistics of the device and of the machine.

use crate::context::phase::{Outside, Step};
use crate::context::{Context, RunContext};
use crate::hook::Hook;
use crate::messages;
use crate::module::{Callback, LightningModule};
use crate::native::memory_stats;
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use sysinfo::System;
use tch::Device;

/// Logs statistics of the device before and after batches of training, validation and testing, every
/// `log_every_n_steps`. Lightning's
/// [`DeviceStatsMonitor`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.DeviceStatsMonitor.html).
///
/// The names are `DeviceStatsMonitor.{hook}/{statistic}`, such as
/// `DeviceStatsMonitor.on_train_batch_start/cpu_percent`.
///
/// | device | statistics |
/// |---|---|
/// | CPU | `cpu_percent`, `cpu_vm_percent`, `cpu_swap_percent`: the load of all processors, and the used parts of memory and swap |
/// | CUDA | those of [`torch.cuda.memory_stats`](https://docs.pytorch.org/docs/2.13/generated/torch.cuda.memory.memory_stats.html), in bytes and counts: `allocated_bytes.all.current`, `reserved_bytes.all.peak`, `num_ooms`, … |
/// | others | none: libtorch does not collect any |
///
/// Logging does not synchronize with the device.
///
/// ```
/// use tch_lightning::callbacks::DeviceStatsMonitor;
///
/// let monitor = DeviceStatsMonitor::new().cpu_stats(true).filter_keys(["cpu_percent", "allocated_bytes.all.peak"]);
/// ```
///
/// # Errors
/// `fit` fails if the trainer does not have a logger.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct DeviceStatsMonitor {
    /// Whether to log the statistics of the CPU. By default they are logged if the device is the CPU.
    pub cpu_stats: Option<bool>,
    /// The names of the statistics to log, without the part up to the `/`. Default all.
    pub filter_keys: Option<BTreeSet<String>>,
    #[serde(skip)]
    system: System,
}

impl DeviceStatsMonitor {
    /// Creates a monitor of all statistics of the device.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to log the statistics of the CPU.
    pub fn cpu_stats(self, cpu_stats: bool) -> Self {
        Self { cpu_stats: Some(cpu_stats), ..self }
    }

    /// Sets which statistics to log.
    pub fn filter_keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        Self { filter_keys: Some(keys.into_iter().map(Into::into).collect()), ..self }
    }

    fn stats(&mut self, device: Device) -> Result<Vec<(String, f64)>> {
        let mut stats: Vec<(String, f64)> =
            memory_stats(device)?.into_iter().map(|(name, count)| (name, count as f64)).collect();
        if self.cpu_stats.unwrap_or(device == Device::Cpu) {
            stats.extend(cpu_stats(&mut self.system));
        }
        Ok(stats)
    }

    fn log(&mut self, ctx: &mut RunContext, hook: Hook) -> Result<()> {
        if !ctx.has_loggers() || !ctx.should_update_logs() {
            return Ok(());
        }
        let mut stats = self.stats(ctx.device())?;
        if let Some(keys) = &self.filter_keys {
            stats.retain(|(name, _)| keys.contains(name));
        }
        for (name, _) in &mut stats {
            name.insert_str(0, &format!("DeviceStatsMonitor.{hook}/"));
        }
        let step = ctx.logged_step();
        Ok(ctx.log_to_loggers(&stats, step)?)
    }
}

/// Returns the values of psutil's `virtual_memory().percent`, `cpu_percent()` and `swap_memory().percent`, by Lightning's names.
fn cpu_stats(system: &mut System) -> [(String, f64); 3] {
    system.refresh_memory();
    system.refresh_cpu_usage();
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    let used = system.total_memory().saturating_sub(system.available_memory());
    [
        ("cpu_vm_percent".to_owned(), percent(used, system.total_memory())),
        ("cpu_percent".to_owned(), f64::from(system.global_cpu_usage())),
        ("cpu_swap_percent".to_owned(), percent(system.used_swap(), system.total_swap())),
    ]
}

impl fmt::Debug for DeviceStatsMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_stats, filter_keys, .. } = self;
        let fields = &mut f.debug_struct("DeviceStatsMonitor");
        fields.field("cpu_stats", cpu_stats).field("filter_keys", filter_keys).finish_non_exhaustive()
    }
}

impl<M: LightningModule> Callback<M> for DeviceStatsMonitor {
    fn name(&self) -> &'static str {
        "DeviceStatsMonitor"
    }

    fn setup(&mut self, ctx: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if stage == Stage::Fit {
            ctx.require_loggers("DeviceStatsMonitor")?;
        }
        Ok(())
    }

    /// Warns of unknown names: statistics exist once the device has tensors, which is now.
    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        let stats = self.stats(ctx.device())?;
        let is_known = |key: &&String| stats.iter().any(|(name, _)| name == *key);
        for key in self.filter_keys.iter().flatten().filter(|key| !is_known(key)) {
            messages::warning!("DeviceStatsMonitor: this device does not have the statistic `{key}`");
        }
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, _: &mut M, _: &M::Batch, _: usize) -> Result<()> {
        self.log(ctx, Hook::OnTrainBatchStart)
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        self.log(ctx, Hook::OnTrainBatchEnd)
    }

    fn on_validation_batch_start(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.log(ctx, Hook::OnValidationBatchStart)
    }

    fn on_validation_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::ValidationOutput,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.log(ctx, Hook::OnValidationBatchEnd)
    }

    fn on_test_batch_start(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.log(ctx, Hook::OnTestBatchStart)
    }

    fn on_test_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TestOutput,
        _: &M::Batch,
        _: usize,
        _: usize,
    ) -> Result<()> {
        self.log(ctx, Hook::OnTestBatchEnd)
    }
}
