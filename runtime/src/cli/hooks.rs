//! The `hooks` command: a table of all hooks.

use crate::hook::Hook;
use crate::module::{
    DataHooks, LightningDataModule, LightningModule, SourceLocation, overridden_hooks, source_locations,
};
use crate::table;

/// Returns a table of the hooks of a module and its data module: the trait that declares each, and the overrides with their source
/// lines.
pub(super) fn table<M: LightningModule, D: LightningDataModule>() -> String {
    let (model, model_locations) = (overridden_hooks::<M>(), source_locations::<M>());
    let mut data = <D as DataHooks>::TABLE.overridden();
    data.extend(<D as LightningDataModule>::TABLE.overridden());
    let data_locations = [<D as DataHooks>::LOCATIONS, <D as LightningDataModule>::LOCATIONS].concat();
    table_of((&model, &model_locations), (&data, &data_locations))
}

/// Returns the table of the hooks that a module and a data module override, with their locations.
fn table_of(
    (model, model_locations): (&[Hook], &[SourceLocation]),
    (data, data_locations): (&[Hook], &[SourceLocation]),
) -> String {
    let mut table = table::with_header(["Hook", "Declared in", "Overridden by", "Written at"]);
    for hook in Hook::ALL.iter().filter(|hook| hook.declared_in() != "Callback") {
        let by = [("data module", data.contains(hook)), ("model", model.contains(hook))];
        let by: Vec<&str> = by.iter().filter(|(_, overrides)| *overrides).map(|(name, _)| *name).collect();
        if by.is_empty() && hook.is_older_name() {
            continue;
        }
        let at = data_locations.iter().chain(model_locations).filter(|location| location.hook == *hook);
        let at: Vec<String> = at.map(SourceLocation::to_string).collect();
        table.add_row([hook.name(), hook.declared_in(), &by.join(", "), &at.join(", ")]);
    }
    table.to_string()
}
