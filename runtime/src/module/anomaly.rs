//! `detect_anomaly`: the first gradient or parameter that is NaN or infinite.

use super::{LightningModule, trainable};
use crate::context::RunContext;
use crate::error::Error;
use tch::{TchError, Tensor, no_grad_guard};

/// Checks the gradients after a backward pass. Gradients of a scaled loss are not checked: they may be infinite, which the scaler handles.
pub(super) fn check_gradients<M: LightningModule>(module: &mut M, ctx: &RunContext) -> Result<(), Error> {
    if !ctx.config().detect_anomaly || ctx.grad_scaler().is_some() {
        return Ok(());
    }
    let gradients = trainable(module.parameters()).into_iter().map(|(name, parameter)| (name, parameter.grad()));
    first_non_finite("the gradient of", gradients, ctx)
}

/// Looks at the parameters after an optimizer's step.
pub(crate) fn check_parameters<M: LightningModule>(module: &mut M, ctx: &RunContext) -> Result<(), Error> {
    if !ctx.config().detect_anomaly {
        return Ok(());
    }
    first_non_finite("the parameter", trainable(module.parameters()).into_iter(), ctx)
}

fn first_non_finite(
    what: &'static str,
    mut tensors: impl Iterator<Item = (String, Tensor)>,
    ctx: &RunContext,
) -> Result<(), Error> {
    let found = tensors.find_map(|(parameter, tensor)| match non_finite_elements(&tensor) {
        Ok(0) => None,
        Ok(non_finite) => Some(Ok((parameter, non_finite, tensor.numel() as i64))),
        Err(error) => Some(Err(error)),
    });
    let Some((parameter, non_finite, elements)) = found.transpose()? else { return Ok(()) };
    let (epoch, batch_idx) = (ctx.progress().current_epoch(), ctx.batch_idx().unwrap_or_default());
    Err(Error::Anomaly { what, parameter, non_finite, elements, epoch, batch_idx })
}

fn non_finite_elements(tensor: &Tensor) -> Result<i64, TchError> {
    if !tensor.defined() {
        return Ok(0);
    }
    let _no_grad = no_grad_guard();
    tensor.f_isfinite()?.f_logical_not()?.f_sum(tch::Kind::Int64)?.f_int64_value(&[])
}
