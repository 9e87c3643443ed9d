//! `trainer_defaults`, which the program calls before it makes the module.

use crate::catalogue;
use crate::crate_files;
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::{CONSTRUCTOR, Method, TRAINER_DEFAULTS};
use crate::source_file::SourceFile;
use crate::types::{last_name, readable};
use quote::ToTokens;
use syn::{ReturnType, Type};

/// Rejects another form of it. Returns whether the program can call it.
pub(super) fn is_sound(block: &Block, diagnostics: &mut Diagnostics) -> bool {
    let before = diagnostics.count();
    let read =
        block.methods(TRAINER_DEFAULTS).filter(|method| block.role == Role::Module && !method.conditions.is_marked);
    for method in read {
        diagnostics.of_method(&method.conditions, |diagnostics| {
            form(method, diagnostics);
            without_constructor(block, method, diagnostics);
        });
    }
    diagnostics.count() == before
}

/// Rejects defaults for a program that cannot be: one needs `new`.
fn without_constructor(block: &Block, defaults: &Method, diagnostics: &mut Diagnostics) {
    let name = &defaults.sig.ident;
    if block.may_have(CONSTRUCTOR) {
        return;
    }
    let Some(file) = SourceFile::of(name.span()) else { return };
    // a program without `new` is an error of its own, and a call by hand needs none
    if !file.calls_program_of(&block.item.head.self_ty) && !crate_files::contain(&["HasHparams", "::trainer_defaults("])
    {
        diagnostics.add(name, catalogue::defaults_without_constructor());
    }
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
