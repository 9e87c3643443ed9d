//! The parameters that hooks have frozen and unfrozen during training, restored in a resumed run.

use crate::messages;
use crate::mismatch::first_of;
use crate::module::{LightningModule, Run, trainable};
use crate::progress::Refrozen;

impl<M: LightningModule> Run<'_, M> {
    /// Records the parameters frozen before `configure_optimizers` and `on_fit_start`.
    pub(super) fn see_frozen(&mut self) {
        let frozen = self.frozen();
        self.ctx.set_frozen_at_start(frozen);
    }

    /// Returns the changes since then.
    pub(super) fn refrozen(&mut self) -> Refrozen {
        let (before, now) = (&self.ctx.frozen_at_start().to_vec(), &self.frozen());
        let added = |to: &[String], from: &[String]| to.iter().filter(|name| !from.contains(name)).cloned().collect();
        Refrozen { frozen: added(now, before), unfrozen: added(before, now) }
    }

    /// Repeats the changes of the resumed run and reports them, as the program may have changed since. They also count as changes of
    /// this run, even if the module comes from an earlier run in this process.
    pub(super) fn refreeze(&mut self, Refrozen { frozen, unfrozen }: &Refrozen) {
        for (what, names) in [("frozen", frozen), ("unfrozen", unfrozen)] {
            if !names.is_empty() {
                messages::info!("parameters that are {what}, as in the checkpoint: {}", first_of(names));
            }
        }
        let at_start =
            self.ctx.frozen_at_start().iter().filter(|name| !frozen.contains(name) && !unfrozen.contains(name));
        self.ctx.set_frozen_at_start(at_start.chain(unfrozen).cloned().collect());
        for (name, parameter) in trainable(self.module.parameters()) {
            if frozen.contains(&name) || unfrozen.contains(&name) {
                let _ = parameter.set_requires_grad(unfrozen.contains(&name));
            }
        }
    }

    fn frozen(&mut self) -> Vec<String> {
        let parameters = trainable(self.module.parameters()).into_iter();
        let frozen = parameters.filter(|(_, tensor)| !tensor.requires_grad() && !self.ctx.is_toggled_off(tensor));
        frozen.map(|(name, _)| name).collect()
    }
}
