//! The table of all hooks.

use crate::hook::Hook;
use crate::module::{DataHooks, LightningDataModule, LightningModule, overridden_hooks};
use crate::table;

/// Each hook of a module, where it is declared, and who overrides it.
pub(super) fn table<M: LightningModule, D: LightningDataModule>() -> String {
    let model = overridden_hooks::<M>();
    let data = <D as DataHooks>::TABLE.overridden();
    let mut table = table::with_header(["Hook", "Declared in", "Overridden by"]);
    for hook in Hook::ALL.iter().filter(|hook| hook.declared_in() != "Callback") {
        let by = match (model.contains(hook), data.contains(hook)) {
            (true, true) => "data module, model",
            (true, false) => "model",
            (false, true) => "data module",
            (false, false) => "",
        };
        table.add_row([hook.name(), hook.declared_in(), by]);
    }
    table.to_string()
}
