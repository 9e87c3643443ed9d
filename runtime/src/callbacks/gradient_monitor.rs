//! Logs how training changes each parameter.

use crate::context::Context;
use crate::context::phase::{Outside, Step};
use crate::log::LogValue;
use crate::module::{Callback, LightningModule};
use crate::native::{norms, norms_of_differences};
use crate::optim::OptimizerIndex;
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use tch::{Kind, TchError, Tensor, no_grad};

/// Logs the norm of each parameter's gradient, the ratio of its update to its value, and the part of its units that get no gradient.
///
/// | name | value |
/// |---|---|
/// | `grad_norm/{parameter}` | the L2 norm of the gradient, before it is clipped |
/// | `grad_norm_total` | the L2 norm of all gradients, before they are clipped; with several optimizers, that of the last that stepped |
/// | `update_ratio/{parameter}` | the L2 norm of the optimizer's update, divided by that of the parameter before it: a value of about 1e-3 is usual, and one of 0.1 a sign of a learning rate that is too high |
/// | `dead_units/{parameter}` | for parameters of two dimensions or more, the part of the units (rows of the first dimension) whose gradient is 0, as that of a ReLU that is never active |
///
/// They are logged with the row of a step, every `log_every_n_steps` steps. Other steps do nothing, and no step waits for the device; the
/// parameters are copied for a step that is logged.
///
/// Lightning's loggers have [`watch`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.WandbLogger.html)
/// for histograms of gradients; [`ctx.log_histogram`](crate::RunContext::log_histogram) logs those.
///
/// ```
/// use tch_lightning::callbacks::GradientMonitor;
///
/// let monitor = GradientMonitor::new().dead_units(false);
/// assert!(monitor.grad_norms && monitor.update_ratios);
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct GradientMonitor {
    /// Whether to log norms of gradients. Default true.
    pub grad_norms: bool,
    /// Whether to log ratios of updates to parameters. Default true.
    pub update_ratios: bool,
    /// Whether to log the parts of units without a gradient. Default true.
    pub dead_units: bool,
    #[serde(skip)]
    before: Vec<Before>,
}

/// The parameters of an optimizer before its step.
#[derive(Debug)]
struct Before {
    names: Vec<String>,
    parameters: Vec<Tensor>,
    copies: Vec<Tensor>,
}

impl Default for GradientMonitor {
    fn default() -> Self {
        Self { grad_norms: true, update_ratios: true, dead_units: true, before: Vec::new() }
    }
}

impl GradientMonitor {
    /// Creates a monitor of everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to log norms of gradients.
    pub fn grad_norms(self, grad_norms: bool) -> Self {
        Self { grad_norms, ..self }
    }

    /// Sets whether to log ratios of updates to parameters.
    pub fn update_ratios(self, update_ratios: bool) -> Self {
        Self { update_ratios, ..self }
    }

    /// Sets whether to log the parts of units without a gradient.
    pub fn dead_units(self, dead_units: bool) -> Self {
        Self { dead_units, ..self }
    }
}

/// Logs the elements of a tensor `[names]`.
fn log_each(ctx: &mut Context<Step>, prefix: &str, names: &[String], values: &Tensor) -> Result<()> {
    for (name, value) in names.iter().zip(values.f_unbind(0)?) {
        ctx.log(format!("{prefix}/{name}"), LogValue::from(&value));
    }
    Ok(())
}

/// Returns the part of the rows of the first dimension that are 0.
fn zero_rows(gradient: &Tensor) -> Result<Tensor, TchError> {
    let largest = gradient.f_flatten(1, -1)?.f_abs()?.f_amax([1i64].as_slice(), false)?;
    largest.f_eq(0)?.f_mean(Kind::Float)
}

impl<M: LightningModule> Callback<M> for GradientMonitor {
    fn name(&self) -> &'static str {
        "GradientMonitor"
    }

    fn setup(&mut self, ctx: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        self.before.clear();
        if stage == Stage::Fit {
            ctx.require_loggers("GradientMonitor")?;
        }
        Ok(())
    }

    fn on_before_optimizer_step(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        optimizer: OptimizerIndex,
    ) -> Result<()> {
        if !ctx.should_update_logs() {
            return Ok(());
        }
        let (names, parameters): (Vec<String>, Vec<Tensor>) =
            ctx.optimizer(optimizer).parameters().filter(|(_, parameter)| parameter.grad().defined()).unzip();
        if names.is_empty() {
            return Ok(());
        }
        let gradients: Vec<Tensor> = parameters.iter().map(Tensor::grad).collect();
        if self.grad_norms {
            let each = norms(&gradients)?;
            log_each(ctx, "grad_norm", &names, &each)?;
            ctx.log("grad_norm_total", each.f_norm()?);
        }
        if self.dead_units {
            for (name, gradient) in names.iter().zip(&gradients).filter(|(_, gradient)| gradient.dim() > 1) {
                ctx.log(format!("dead_units/{name}"), no_grad(|| zero_rows(gradient))?);
            }
        }
        if self.update_ratios {
            let copies = no_grad(|| parameters.iter().map(Tensor::copy).collect());
            self.before.push(Before { names, parameters, copies });
        }
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
        for Before { names, parameters, copies } in self.before.drain(..) {
            let ratios = norms_of_differences(&parameters, &copies)?.f_div(&norms(&copies)?)?;
            log_each(ctx, "update_ratio", &names, &ratios)?;
        }
        Ok(())
    }
}
