//! `trainer_defaults`, which the program calls before it makes the module.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::{Method, TRAINER_DEFAULTS};
use crate::types::{last_name, readable};
use quote::ToTokens;
use syn::{ReturnType, Type};

/// Rejects another form of it. Returns whether the program can call it.
pub(super) fn is_sound(block: &Block, diagnostics: &mut Diagnostics) -> bool {
    let before = diagnostics.count();
    let read =
        block.methods(TRAINER_DEFAULTS).filter(|method| block.role == Role::Module && !method.conditions.is_marked);
    for method in read {
        diagnostics.of_method(&method.conditions, |diagnostics| form(method, diagnostics));
    }
    diagnostics.count() == before
}

fn form(method: &Method, diagnostics: &mut Diagnostics) {
    let signature = &method.sig;
    if !signature.inputs.is_empty() {
        diagnostics.add(&signature.inputs, catalogue::defaults_with_parameters());
    }
    match &signature.output {
        ReturnType::Default => diagnostics.add(&signature.ident, catalogue::defaults_of_another_type("()")),
        ReturnType::Type(_, ty) if is_another(ty) => {
            diagnostics.add(ty.to_token_stream(), catalogue::defaults_of_another_type(readable(ty)));
        }
        ReturnType::Type(..) => {}
    }
}

/// Whether it cannot be another name of the configuration.
fn is_another(ty: &Type) -> bool {
    const OTHERS: [&str; 5] = ["Box", "Option", "Result", "Self", "Trainer"];
    !matches!(ty, Type::Path(_) | Type::Macro(_) | Type::Group(_)) || OTHERS.contains(&last_name(ty).as_str())
}
