//! The requirements of a verb on the module, the data and the configuration.

use crate::config::TrainerConfig;
use crate::context::ChosenOptimizer;
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{DataSource, LightningModule};
use crate::stage::Stage;

/// Returns an error for a verb whose hook is missing.
pub(super) fn needs(stage: Stage, hook: Hook, is_there: bool) -> Result<(), Error> {
    if is_there { Ok(()) } else { Err(Error::Missing { stage, hook }) }
}

/// Fails for a verb whose step is not there, or has no loader.
pub(super) fn needs_step<M: LightningModule>(stage: Stage, step: Hook, data: &dyn DataSource<M>) -> Result<(), Error> {
    needs(stage, step, <M as LightningModule>::TABLE.overrides(step))?;
    step.dataloader().map_or(Ok(()), |loader| needs(stage, loader, data.has(loader)))
}

/// Fails for settings that the trainer can follow in automatic optimization only.
pub(super) fn needs_automatic_optimization<M: LightningModule>(
    config: &TrainerConfig,
    chosen: Option<&ChosenOptimizer>,
) -> Result<(), Error> {
    if chosen.is_some() && !M::AUTOMATIC_OPTIMIZATION {
        return Err(Error::configuration(
            "`optimizer` is only supported with automatic optimization, but this module optimizes manually: return its optimizers from \
             `configure_optimizers`, with hyperparameters of the type `OptimizerConfig`"
                .to_owned(),
        ));
    }
    let asked = [
        ("accumulate_grad_batches", config.accumulate_grad_batches != 1),
        ("gradient_clip_val", config.gradient_clip_val.is_some_and(|value| value > 0.0)),
    ];
    match asked.iter().find(|(_, asked)| *asked && !M::AUTOMATIC_OPTIMIZATION) {
        Some((name, _)) => Err(Error::configuration(format!(
            "`{name}` is only supported with automatic optimization, but this module optimizes manually: do it in `training_step`"
        ))),
        None => Ok(()),
    }
}
