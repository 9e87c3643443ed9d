//! The loop of `fit`: sanity check, epochs, end.

use super::batches::BatchesLeft;
use super::stopping::{self, LastStep};
use super::training::Training;
use super::training_epoch;
use super::validation::Validation;
use crate::callbacks::ModelCheckpoint;
use crate::context::{EndReason, RunContext};
use crate::counted::counted;
use crate::error::Error;
use crate::messages;
use crate::module::{LightningModule, Run};
use crate::progress::Progress;
use crate::stage::RunningStage;

/// Trains until the configured end. The module must be on its device, the optimizers made, and the checkpoint restored. `early` is the
/// training loader where `configure_optimizers` needed it.
pub(crate) fn fit<M: LightningModule>(run: &mut Run<'_, M>, early: Option<Training<M>>) -> Result<(), Error> {
    let after_cut = match continue_cut_epoch(run.ctx) {
        Ok(after_cut) => after_cut,
        Err(reason) => {
            nothing_is_trained(run.ctx, reason);
            return run.restore_epoch();
        }
    };
    let mut validation = Validation::of(run);
    if let Some(validation) = validation.as_mut().filter(|_| !is_restarting(run)) {
        validation.sanity_check(run)?;
    }
    run.ctx.set_running_stage(RunningStage::Training);
    if run.ctx.config().limit_train_batches.is_zero() {
        nothing_is_trained(run.ctx, EndReason::NoTrainingBatches);
        return run.restore_epoch();
    }
    train(run, early, validation, after_cut)
}

fn train<M: LightningModule>(
    run: &mut Run<'_, M>,
    early: Option<Training<M>>,
    mut validation: Option<Validation<M>>,
    after_cut: Option<Progress>,
) -> Result<(), Error> {
    let mut training = match early {
        Some(training) => {
            training.begin(run.ctx);
            training
        }
        None => Training::load(run)?,
    };
    if let Some(validation) = &mut validation {
        validation.measure(run.ctx)?;
    }
    run.ctx.agree()?;
    if let Some(reason) = epoch_end_reason(run.ctx) {
        nothing_is_trained(run.ctx, reason);
        return run.restore_epoch();
    }
    let batches_left = match (training.batches_left(run.ctx), after_cut) {
        (Err(Error::Configuration(_)), Some(after)) => {
            leave_cut_epoch(run.ctx, after);
            None
        }
        (batches, _) => batches?,
    };
    run.log_hyper_parameters()?;
    warn_of_rare_rows(run.ctx);
    if let Some(validation) = &mut validation {
        validation.begin(run)?;
    }
    run.on_train_start()?;
    run.restore_epoch()?;
    run.ctx.agree()?;
    let mut last_step = LastStep::of(run.ctx);
    resume_epoch(run, &training, batches_left, validation.as_mut(), &mut last_step)?;
    let end_reason = loop {
        if let Some(reason) = epoch_end_reason(run.ctx) {
            break reason;
        }
        if training.reload(run)?
            && let Some(validation) = &mut validation
        {
            validation.measure(run.ctx)?;
        }
        training_epoch::run(run, &training, None, validation.as_mut())?;
        end_epoch(run, &mut last_step)?;
    };
    run.on_train_end()?;
    let (current_epoch, global_step) = (run.ctx.current_epoch(), run.ctx.global_step());
    let epochs = match current_epoch.checked_sub(1).filter(|_| !run.ctx.is_last_batch()) {
        Some(epoch) => format!("within epoch {epoch}, after"),
        None => format!("after {} and", counted(current_epoch, "epoch")),
    };
    messages::info!(
        { epoch = current_epoch, step = global_step },
        "training ended {epochs} {}: {end_reason}",
        counted(global_step, "step")
    );
    run.ctx.end_because(end_reason);
    warn_of_no_checkpoint(run);
    Ok(())
}

/// Trains on the remaining batches of an epoch, if the checkpoint was written within one.
fn resume_epoch<M: LightningModule>(
    run: &mut Run<'_, M>,
    training: &Training<M>,
    batches_left: Option<BatchesLeft<'_, M::Batch>>,
    validation: Option<&mut Validation<M>>,
    last_step: &mut LastStep,
) -> Result<(), Error> {
    if batches_left.is_none() {
        return Ok(());
    }
    training_epoch::run(run, training, batches_left, validation)?;
    // this epoch may have had another number
    run.ctx.set_num_training_batches(training.num_batches);
    end_epoch(run, last_step)
}

fn end_epoch<M: LightningModule>(run: &mut Run<'_, M>, last_step: &mut LastStep) -> Result<(), Error> {
    run.ctx.progress_mut().end_epoch();
    run.ctx.show_position();
    run.save_what_is_pending()?;
    last_step.fail_without_steps(run.ctx)
}

/// Returns to an epoch that was cut short, such as by `max_steps`, to continue with its remaining batches. Returns the counters after
/// it, or the reason why no training is left.
fn continue_cut_epoch(ctx: &mut RunContext) -> Result<Option<Progress>, EndReason> {
    let Some(within) = ctx.progress().within_cut_epoch() else { return Ok(None) };
    let after = std::mem::replace(ctx.progress_mut(), within);
    match stopping::end_reason(ctx) {
        None => Ok(Some(after)),
        Some(reason) => {
            *ctx.progress_mut() = after;
            Err(reason)
        }
    }
}

/// Skips the rest of an epoch that was cut short, as the training data has changed.
fn leave_cut_epoch(ctx: &mut RunContext, after: Progress) {
    let (epoch, batches_ready) = (ctx.current_epoch(), ctx.progress().batches_ready());
    messages::warning!(
        { epoch, batches = batches_ready },
        "epoch {epoch} was cut short after {}, and the training data is not what it was then: training continues with epoch {}",
        counted(batches_ready, "batch"),
        after.current_epoch()
    );
    *ctx.progress_mut() = after;
    if let Some(checkpoint) = ctx.resumed_mut() {
        checkpoint.metadata.run.forget_logged();
    }
}

/// The reason why no epoch follows. A run resumed within its last epoch still runs the end of that epoch.
fn epoch_end_reason(ctx: &RunContext) -> Option<EndReason> {
    if ctx.is_mid_epoch() { None } else { stopping::end_reason(ctx) }
}

fn nothing_is_trained(ctx: &mut RunContext, reason: EndReason) {
    let after = ctx
        .ckpt_path()
        .filter(|_| ctx.is_resumed() && reason != EndReason::NoTrainingBatches)
        .map(|path| format!(", in the run that {} is from", path.display()))
        .unwrap_or_default();
    messages::info!("there is nothing left to train: {reason}{after}");
    ctx.end_because(reason);
}

/// Warns if `log_every_n_steps` exceeds the steps of an epoch: it is counted over all epochs, so that some epochs have no row.
fn warn_of_rare_rows(ctx: &RunContext) {
    let config = ctx.config();
    let Some(batches) = ctx.num_training_batches().filter(|_| ctx.has_loggers() && !ctx.is_fast_dev_run()) else {
        return;
    };
    let (steps, every) = (batches.div_ceil(config.accumulate_grad_batches), config.log_every_n_steps);
    if every > steps {
        messages::warning!(
            "`log_every_n_steps` is {every}, but an epoch has {}: most epochs would not write a row; set it to {steps} or \
             less",
            counted(steps, "step")
        );
    }
}

fn warn_of_no_checkpoint<M: LightningModule>(run: &Run<'_, M>) {
    let ctx = &run.ctx;
    let Some(checkpoint) = run.callbacks.find::<ModelCheckpoint>() else { return };
    // a run resumed near its end may have nothing left to save
    if !ctx.has_saved() && !ctx.is_fast_dev_run() && !ctx.is_resumed() {
        let reason = match checkpoint.save_top_k {
            0 => "`save_top_k` is 0",
            _ => "none was due, or none was among the best",
        };
        messages::warning!("this run saved no checkpoint: {reason}");
    }
}

/// Whether a run resumes within an epoch. Lightning assumes so for each resumed run that ends by steps.
fn is_restarting<M: LightningModule>(run: &Run<'_, M>) -> bool {
    let ctx = &run.ctx;
    ctx.is_resumed() && (ctx.progress().is_mid_epoch() || ctx.config().step_limit().is_some())
}
