//! Checks that a checkpoint fits the run that resumes it, part by part, so that nothing is dropped silently.

use crate::checkpoint::{Checkpoint, CheckpointError, SavedOptimizer};
use crate::config::Resume;
use crate::context::{RunContext, RunningLrScheduler};
use crate::counted::counted;
use crate::error::Error;
use crate::mismatch::{Mismatch, first_of};
use crate::native::RandomState;
use crate::optim::Optimizer;
use crate::progress::RANDOM;
use crate::schedule::LrSchedulerState;
use crate::shown::shown;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Rejects a checkpoint that `fit` cannot resume from, with the checks possible before the run begins.
pub(super) fn check_before(checkpoint: &Checkpoint, ctx: &RunContext) -> Result<(), Error> {
    let resume = ctx.config().resume;
    if resume != Resume::Weights && checkpoint.has_weights_alone() {
        return Err(CheckpointError::WeightsAlone { path: path(ctx) }.into());
    }
    if resume != Resume::All {
        return Ok(());
    }
    let precision = ctx.config().precision;
    let mistake = match (checkpoint.metadata.grad_scaler.is_some(), precision.scales_loss()) {
        (true, false) => Some(format!(
            "it has the state of a gradient scaler, as it was trained with `precision` 16-mixed, but this run's is {precision}: set it to \
             16-mixed, or remove the state, `checkpoint.metadata.grad_scaler = None`"
        )),
        (false, true) => Some(
            "it does not have the state of a gradient scaler, which this run's `precision` of 16-mixed requires: set it to the precision \
             that it was trained with, or add a state, `checkpoint.metadata.grad_scaler = Some(GradScalerState::default())`"
                .to_owned(),
        ),
        _ => wrong_random_state(checkpoint, ctx)?,
    };
    refuse(ctx, mistake)
}

/// The state of libtorch's random numbers has one size.
fn wrong_random_state(checkpoint: &Checkpoint, ctx: &RunContext) -> Result<Option<String>, Error> {
    let mut mismatch = Mismatch::default();
    for (name, expected) in RandomState::of(ctx.device())?.into_tensors() {
        let name = format!("{RANDOM}{name}");
        if let Some(saved) = checkpoint.tensors.get(&name) {
            compare(&mut mismatch, &name, saved, &expected)?;
        }
    }
    Ok(of(&mismatch))
}

/// Rejects a checkpoint whose optimizers and schedulers are not those of the run, before any of them is loaded.
pub(super) fn check_training(checkpoint: &Checkpoint, ctx: &RunContext) -> Result<(), Error> {
    let metadata = &checkpoint.metadata;
    let mistake = other_optimizers(&metadata.optimizers, ctx.optimizers())
        .or_else(|| other_schedulers(&metadata.lr_schedulers, ctx.lr_schedulers(), ctx.optimizers()));
    refuse(ctx, mistake)
}

/// Rejects a checkpoint whose optimizers are not those of a run that takes their states.
pub(super) fn check_optimizer_groups(checkpoint: &Checkpoint, ctx: &RunContext) -> Result<(), Error> {
    refuse(ctx, other_optimizers(&checkpoint.metadata.optimizers, ctx.optimizers()))
}

fn other_optimizers(saved: &[SavedOptimizer], optimizers: &[Optimizer]) -> Option<String> {
    if saved.len() != optimizers.len() {
        let of_it = counted(saved.len(), "optimizer");
        return Some(format!("it has {of_it}, but this run has {}", optimizers.len()));
    }
    saved
        .iter()
        .zip(optimizers)
        .enumerate()
        .find_map(|(index, (saved, optimizer))| other_groups(index, saved, optimizer))
}

fn other_groups(index: usize, saved: &SavedOptimizer, optimizer: &Optimizer) -> Option<String> {
    let groups = optimizer.groups();
    if saved.groups.len() != groups.len() {
        let of_it = counted(saved.groups.len(), "parameter group");
        return Some(format!("its optimizer {index} has {of_it}, but the run's has {}", groups.len()));
    }
    let mut algorithms = saved.groups.iter().zip(groups).map(|(saved, group)| (saved.name(), group.algorithm().name()));
    if let Some((saved, own)) = algorithms.find(|(saved, own)| saved != own) {
        return Some(format!("its optimizer {index} is {saved}, but the run's is {own}"));
    }
    // older checkpoints do not have the names
    let names = optimizer.names_by_group();
    let mut groups = saved.parameters.iter().zip(&names).enumerate();
    let (group, (saved, own)) = groups.find(|(_, (saved, own))| saved != own)?;
    let (saved, own) = (listed(saved), listed(own));
    Some(format!(
        "the parameter group {group} of its optimizer {index} has the parameters {saved}, but the run's has {own}"
    ))
}

fn other_schedulers(
    saved: &[LrSchedulerState],
    schedulers: &[RunningLrScheduler],
    optimizers: &[Optimizer],
) -> Option<String> {
    if saved.len() != schedulers.len() {
        let of_it = counted(saved.len(), "learning-rate scheduler");
        return Some(format!("it has {of_it}, but this run has {}", schedulers.len()));
    }
    saved.iter().zip(schedulers).enumerate().find_map(|(index, (saved, scheduler))| {
        let groups = optimizers[scheduler.optimizer().0].groups().len();
        let of_it = counted(saved.groups(), "parameter group");
        (saved.groups() > groups).then(|| {
            format!("its learning-rate scheduler {index} has the rates of {of_it}, but its optimizer in this run has {groups}")
        })
    })
}

/// Rejects gradients that do not match the parameters.
pub(super) fn check_gradients<'a>(
    gradients: impl Iterator<Item = (&'a str, &'a Tensor, &'a Tensor)>,
    ctx: &RunContext,
) -> Result<(), Error> {
    let mut mismatch = Mismatch::default();
    for (name, gradient, parameter) in gradients {
        compare(&mut mismatch, name, gradient, parameter)?;
    }
    refuse(ctx, of(&mismatch))
}

fn compare(mismatch: &mut Mismatch, name: &str, saved: &Tensor, expected: &Tensor) -> Result<(), Error> {
    mismatch.compare(name, (saved.size(), saved.f_kind()?), (expected.size(), expected.f_kind()?));
    Ok(())
}

fn of(mismatch: &Mismatch) -> Option<String> {
    (!mismatch.is_empty()).then(|| format!("its tensors are {mismatch}"))
}

fn refuse(ctx: &RunContext, mistake: Option<String>) -> Result<(), Error> {
    mistake.map_or(Ok(()), |reason| Err(CheckpointError::OtherRun { path: path(ctx), reason }.into()))
}

/// Returns an error about the contents of a checkpoint, with the file's name.
pub(super) fn of_file(error: Error, ctx: &RunContext) -> Error {
    match error {
        Error::Checkpoint(error) => error.of_file(&path(ctx)).into(),
        Error::Hook(mut hook) => {
            hook.error =
                hook.error.context(format!("the state in the checkpoint {} does not fit", path(ctx).display()));
            Error::Hook(hook)
        }
        // an error of libtorch, such as out of memory, is not about the checkpoint
        Error::Torch(_) | Error::Native(_) | Error::File(_) => error,
        other => CheckpointError::OtherRun { path: path(ctx), reason: shown(&other.to_string(), 500) }.into(),
    }
}

fn path(ctx: &RunContext) -> PathBuf {
    ctx.ckpt_path().unwrap_or(Path::new("")).to_owned()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { first_of(names) }
}
