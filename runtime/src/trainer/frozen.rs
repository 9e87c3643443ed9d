//! The parameters that hooks have frozen and unfrozen during training, restored in a resumed run.

use crate::context::RunContext;
use crate::messages;
use crate::mismatch::first_of;
use crate::module::{LightningModule, NamedParameter, Run, trainable};
use crate::optim::Optimizer;
use crate::progress::Refrozen;
use std::collections::BTreeSet;
use tch::nn::VarStore;

impl<M: LightningModule> Run<'_, M> {
    /// Records the parameters frozen before `configure_optimizers` and `on_fit_start`.
    pub(super) fn see_frozen(&mut self) {
        let frozen = self.frozen();
        self.ctx.set_frozen_at_start(frozen);
    }

    /// Returns the changes since then.
    pub(super) fn refrozen(&mut self) -> Refrozen {
        let now = self.frozen();
        changes(self.ctx.frozen_at_start(), &now)
    }

    /// Repeats the changes of the resumed run and reports them, as the program may have changed since. They also count as changes of
    /// this run, even if the module comes from an earlier run in this process.
    pub(super) fn refreeze(&mut self, refrozen: &Refrozen) {
        refreeze(self.module.parameters(), self.ctx, refrozen);
    }

    /// Returns the parameters and buffers that a checkpoint without frozen parameters contains, and those that it does not: those in an
    /// optimizer may have been trained before they were frozen.
    pub(super) fn without_frozen(&mut self) -> (Vec<NamedParameter>, Vec<NamedParameter>) {
        let mut elsewhere: BTreeSet<String> = self.frozen().into_iter().collect();
        for (name, _) in self.ctx.optimizers().iter().flat_map(Optimizer::borrowed_parameters) {
            elsewhere.remove(name);
        }
        let (elsewhere, saved) = self.variables().into_iter().partition(|(name, _)| elsewhere.contains(name));
        (saved, elsewhere)
    }

    fn frozen(&mut self) -> Vec<String> {
        frozen(self.module.parameters(), self.ctx)
    }
}

// not methods of `Run`, as each program would compile them

fn changes(before: &[String], now: &[String]) -> Refrozen {
    let added = |to: &[String], from: &[String]| to.iter().filter(|name| !from.contains(name)).cloned().collect();
    Refrozen { frozen: added(now, before), unfrozen: added(before, now) }
}

fn refreeze(parameters: &VarStore, ctx: &mut RunContext, Refrozen { frozen, unfrozen }: &Refrozen) {
    for (what, names) in [("frozen", frozen), ("unfrozen", unfrozen)] {
        if !names.is_empty() {
            messages::info!("parameters that are {what}, as in the checkpoint: {}", first_of(names));
        }
    }
    let at_start = ctx.frozen_at_start().iter().filter(|name| !frozen.contains(name) && !unfrozen.contains(name));
    ctx.set_frozen_at_start(at_start.chain(unfrozen).cloned().collect());
    for (name, parameter) in trainable(parameters) {
        if frozen.contains(&name) || unfrozen.contains(&name) {
            let _ = parameter.set_requires_grad(unfrozen.contains(&name));
        }
    }
}

fn frozen(parameters: &VarStore, ctx: &RunContext) -> Vec<String> {
    let parameters = trainable(parameters).into_iter();
    let frozen = parameters.filter(|(_, tensor)| !tensor.requires_grad() && !ctx.is_toggled_off(tensor));
    frozen.map(|(name, _)| name).collect()
}
