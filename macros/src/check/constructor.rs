//! The hyperparameters that `new` takes.

use crate::attributes::Conditions;
use crate::catalogue::{self, Diagnostic};
use crate::constructor::{Constructor, Parameter};
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::{CONSTRUCTOR, Method};
use crate::source_file::SourceFile;
use crate::types::{self, readable};
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Visibility, parse_quote};

/// Rejects hyperparameters that the program cannot have. Returns whether all are sound.
pub(super) fn is_sound(block: &Block, diagnostics: &mut Diagnostics) -> bool {
    let before = diagnostics.count();
    for new in block.possible_constructors() {
        if let Some(hparams) = &new.hparams
            && let Some(diagnostic) = mistake(block, &new, hparams)
        {
            diagnostics.of_method(&new.method.conditions, |diagnostics| diagnostics.add(hparams.ty, diagnostic));
        }
    }
    if let Some(new) = uncallable(block) {
        let form = if block.role == Role::Module { OF_MODULES } else { OF_DATA_MODULES };
        let diagnostic = catalogue::uncallable_constructor(readable(&block.item.head.self_ty), form);
        let inputs = &new.sig.inputs;
        let wrong = if inputs.is_empty() { new.sig.ident.to_token_stream() } else { inputs.to_token_stream() };
        // another name is reported as such
        if new.sig.ident.unraw() == new.name {
            diagnostics.of_method(&new.conditions, |diagnostics| diagnostics.add(wrong, diagnostic));
        } else {
            return false;
        }
    }
    diagnostics.count() == before
}

/// Rejects a constructor of another name, in a block without `new` whose program is in the file.
pub(super) fn renamed(block: &mut Block, diagnostics: &mut Diagnostics) {
    const NAMES: [&str; 11] = [
        "build",
        "construct",
        "create",
        "from_config",
        "from_hparams",
        "init",
        "initialize",
        "make",
        "with_config",
        "with_hparams",
        "with_hyperparameters",
    ];
    let ty = &block.item.head.self_ty;
    if block.role == Role::Callback || block.has(CONSTRUCTOR) {
        return;
    }
    let makes_it = |method: &Method| {
        let made = readable(&method.output());
        method.sig.receiver().is_none() && method.condition().is_none() && (made == "Self" || made == readable(ty))
    };
    let named = NAMES.iter().flat_map(|name| block.unread_methods(name));
    let found: Vec<Method> = named.filter(|method| !method.conditions.is_marked && makes_it(method)).collect();
    let [method] = found.as_slice() else { return };
    let name = &method.sig.ident;
    if SourceFile::of(name.span()).is_some_and(|file| file.has_program_of(ty)) {
        diagnostics.add(name, catalogue::constructor_of_another_name(name, readable(ty)));
        block.mean_constructor(name);
    }
}

/// Rejects a constructor in another block, where the attribute does not see it, for a type whose program is in the file.
pub(super) fn in_another_block(block: &mut Block, diagnostics: &mut Diagnostics) {
    let is_elsewhere = block.others.methods.iter().any(|method| method == CONSTRUCTOR);
    let ty = &block.item.head.self_ty;
    if block.role == Role::Callback || !is_elsewhere || block.methods(CONSTRUCTOR).next().is_some() {
        return;
    }
    if SourceFile::of(ty.span()).is_some_and(|file| file.has_program_of(ty)) {
        diagnostics.add(ty, catalogue::constructor_in_another_block(block.role.attribute(), readable(ty)));
        block.stand_in_constructor = Some(Method {
            ours: TokenStream::new(),
            attrs: Vec::new(),
            conditions: Conditions::default(),
            documentation: TokenStream::new(),
            vis: Visibility::Inherited,
            sig: parse_quote!(fn new() -> Self),
            name: CONSTRUCTOR.to_owned(),
            body: Group::new(Delimiter::Brace, TokenStream::new()).into(),
        });
    }
}

const OF_MODULES: &str =
    "`fn new() -> Self`, `fn new(hparams: Hparams) -> Self`, or `fn new(hparams: Hparams, data: &Data) -> Self`";

const OF_DATA_MODULES: &str = "`fn new() -> Self`, or `fn new(hparams: Hparams) -> Self`";

/// Returns a `new` that the program in the file cannot call.
fn uncallable(block: &Block) -> Option<&Method> {
    if block.role == Role::Callback || block.possible_constructors().next().is_some() {
        return None;
    }
    let new = block.methods(CONSTRUCTOR).find(|new| !new.conditions.is_marked && new.condition().is_none())?;
    let file = SourceFile::of(new.sig.ident.span())?;
    file.has_program_of(&block.item.head.self_ty).then_some(new)
}

fn mistake(block: &Block, new: &Constructor<'_>, hparams: &Parameter<'_>) -> Option<Diagnostic> {
    let is_no_struct = hparams.is_no_struct();
    if hparams.is_named_hparams && is_no_struct {
        return Some(plain(hparams));
    }
    let file = SourceFile::of(new.method.sig.ident.span())?;
    if !file.calls_program_of(&block.item.head.self_ty) {
        return None;
    }
    if block.role == Role::Module && file.is_data_of_program(hparams.ty) {
        let reference = if hparams.is_reference { "&" } else { "" };
        let name = readable(hparams.ty);
        let written = format!("{}: {reference}{name}", hparams.name);
        return Some(catalogue::data_module_taken_otherwise(written, name));
    }
    // under their own name they are always those of the program, whose type the compiler checks
    if hparams.is_named_hparams {
        // without the derive, clap's attributes are not known either
        let underived = file.missing_derives(hparams.ty).filter(|missing| missing.contains(&"clap::Args"));
        return match (underived, without_flag(&file, hparams)) {
            (Some(missing), Some(_)) => Some(without_derives(hparams, &missing)),
            (_, without_flag) => without_flag,
        };
    }
    if is_no_struct {
        return Some(plain(hparams));
    }
    match file.missing_derives(hparams.ty).filter(|missing| !missing.is_empty()) {
        Some(missing) => Some(without_derives(hparams, &missing)),
        None => without_flag(&file, hparams),
    }
}

fn without_derives(hparams: &Parameter<'_>, missing: &[&str]) -> Diagnostic {
    catalogue::hyperparameters_without_derives(readable(hparams.ty), missing.join(", "))
}

/// A field without a flag would be set by its place on the command line.
fn without_flag(file: &SourceFile, hparams: &Parameter<'_>) -> Option<Diagnostic> {
    let (field, line) = file.field_without_flag(hparams.ty)?;
    Some(catalogue::hyperparameter_without_flag(field, readable(hparams.ty), line))
}

fn plain(hparams: &Parameter<'_>) -> Diagnostic {
    catalogue::plain_hyperparameters(readable(hparams.ty), field_for(hparams))
}

/// A field for a value that is taken in place of hyperparameters, of a type that the command line can have.
fn field_for(hparams: &Parameter<'_>) -> String {
    let written = readable(hparams.ty);
    match (hparams.name.as_str(), written.as_str()) {
        ("hparams", "f32" | "f64") => format!("lr: {written}"),
        _ if !types::is_plain(hparams.ty) && written != "PathBuf" => "width: i64".to_owned(),
        ("hparams", _) => format!("width: {written}"),
        (name, _) => format!("{name}: {written}"),
    }
}
