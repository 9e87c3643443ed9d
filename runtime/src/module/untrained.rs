//! Warnings of what a run does not train, though its losses depend on it, or though it is there to be trained.

use super::LightningModule;
use crate::context::{ForeignTensors, RunContext};
use crate::counted::counted;
use crate::error::Error;
use crate::messages;
use crate::native::{TensorIdentity, leaves};
use crate::optim::Optimizer;
use std::collections::HashSet;
use tch::Tensor;
use tch::nn::VarStore;

/// Warns if the first backward pass of a run gave no gradient, so that nothing would be trained.
pub(super) fn warn_without_gradients(ctx: &RunContext) {
    let is_first = ctx.global_step() == 0 && ctx.batch_idx() == Some(0);
    if is_first && !ctx.optimizers().iter().any(Optimizer::has_gradients) {
        messages::warning!(
            "after the first backward pass, no parameter of an optimizer has a gradient, so that nothing is trained: the loss does not \
             depend on them, or a hook `backward` does not run a backward pass"
        );
    }
}

/// Warns of tensors that the losses of the first two batches depend on, and that are not trained, as those of a second `VarStore`, or of a layer
/// that each step makes.
pub(super) fn warn_of_foreign_tensors<M: LightningModule>(
    module: &mut M,
    ctx: &mut RunContext,
    loss: &Tensor,
) -> Result<(), Error> {
    let running = ctx.total_batches();
    match std::mem::replace(ctx.foreign_tensors_mut(), ForeignTensors::Sought) {
        ForeignTensors::NotSought => {
            let (tensors, variables) = (foreign(module, loss)?, module.parameters().len());
            *ctx.foreign_tensors_mut() = ForeignTensors::OfFirstBatch { batch: running, tensors, variables };
        }
        // several losses of one batch
        ForeignTensors::OfFirstBatch { batch, mut tensors, .. } if batch == running => {
            tensors.extend(foreign(module, loss)?);
            let variables = module.parameters().len();
            *ctx.foreign_tensors_mut() = ForeignTensors::OfFirstBatch { batch, tensors, variables };
        }
        ForeignTensors::OfFirstBatch { tensors, variables, .. } => {
            if !tensors.is_empty() {
                let before: HashSet<TensorIdentity> = tensors.iter().map(TensorIdentity::of).collect();
                let mut kept = foreign(module, loss)?;
                kept.retain(|tensor| before.contains(&TensorIdentity::of(tensor)));
                warn_of(&kept);
            }
            warn_of_new_variables(module.parameters(), variables);
        }
        ForeignTensors::Sought => {}
    }
    Ok(())
}

/// Warns if a step has added variables to the store, which no optimizer has.
fn warn_of_new_variables(store: &VarStore, before: usize) {
    let added = store.len().saturating_sub(before);
    if added > 0 {
        messages::warning!(
            "a training step has added {} to the `VarStore` of `parameters`, which no optimizer trains: create the layers in `new`, once, \
             and only call them in a step",
            counted(added, "parameter")
        );
    }
}

/// Returns the tensors that a loss would give a gradient, without those of the module's store.
fn foreign<M: LightningModule>(module: &mut M, loss: &Tensor) -> Result<Vec<Tensor>, Error> {
    let mut leaves = leaves(loss)?;
    let own: HashSet<TensorIdentity> = module.parameters().variables().values().map(TensorIdentity::of).collect();
    leaves.retain(|tensor| !own.contains(&TensorIdentity::of(tensor)));
    Ok(leaves)
}

fn warn_of(tensors: &[Tensor]) {
    let subject = match tensors {
        [] => return,
        [tensor] => format!("a tensor of shape {:?} that requires a gradient, which is", tensor.size()),
        tensors => {
            let shown: Vec<String> = tensors.iter().take(3).map(|tensor| format!("{:?}", tensor.size())).collect();
            let rest = if tensors.len() > shown.len() { ", …" } else { "" };
            format!(
                "{} tensors that require a gradient, of shapes {}{rest}, which are",
                tensors.len(),
                shown.join(", ")
            )
        }
    };
    messages::warning!(
        "the loss depends on {subject} not in the `VarStore` of `parameters`, and hence neither trained nor saved: create layers on paths \
         of that store, as in `nn::linear(vs.root() / \"head\", …)`, and compute what is not to be trained in `tch::no_grad`"
    );
}
