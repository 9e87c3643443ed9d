//! Constants and types in a block that are meant for the generated implementations, of which an inherent block has none.

use crate::attributes::Conditions;
use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::hooks::{self, Role};
use crate::model::Block;
use crate::parse::BlockItem;
use crate::python_names;
use syn::ext::IdentExt;
use syn::{Ident, ImplItem};

/// Rejects those that would have no effect. rustc rejects all types in an inherent block, so these are removed with their error.
pub(super) fn without_effect(block: &mut Block, diagnostics: &mut Diagnostics) {
    let role = block.role;
    block.item.items.retain(|item| {
        let BlockItem::Other(item) = item else { return true };
        let (ident, diagnostic, attributes) = match item.as_ref() {
            ImplItem::Const(item) => (&item.ident, constant(role, &item.ident), &item.attrs),
            ImplItem::Type(item) => (&item.ident, associated_type(role, &item.ident), &item.attrs),
            _ => return true,
        };
        let Some(diagnostic) = diagnostic else { return true };
        let conditions = Conditions::of(attributes);
        diagnostics.of_method(&conditions, |diagnostics| diagnostics.add(ident, diagnostic));
        !matches!(item.as_ref(), ImplItem::Type(_))
    });
}

/// A constant with the name of a setting that Lightning has as an attribute of the class.
fn constant(role: Role, name: &Ident) -> Option<Diagnostic> {
    let name = name.unraw().to_string();
    let instead = python_names::definition(role, &name.to_lowercase())?;
    Some(catalogue::item_without_effect(name, instead))
}

fn associated_type(role: Role, name: &Ident) -> Option<Diagnostic> {
    let name = name.unraw().to_string();
    let step = hooks::steps().find(|(_, step)| step.output == name).filter(|_| role == Role::Module);
    let instead = match (name.as_str(), step) {
        ("Batch", _) => "remove it, as the type of the batches is that of `batch` in the hooks".to_owned(),
        ("Hparams", _) => "remove it, as the type of the hyperparameters is that of `hparams` in `new`".to_owned(),
        (_, Some((hook, _))) => format!("remove it, as `{}` states what it returns", hook.name()),
        _ => return None,
    };
    Some(catalogue::item_without_effect(name, instead))
}
