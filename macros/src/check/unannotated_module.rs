//! The module of a callback, whose block in the same file has no `#[lightning_module]`.
//!
//! Whatever uses it would be an error: the callback, the trainer, the program. So the first callback of the file that names it reports the
//! mistake, and the module is generated as if its block had the attribute.

use crate::arguments::Arguments;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse;
use crate::source_file::SourceFile;
use crate::types::without_reference;
use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Ident, ItemImpl, Type};

/// Returns the block of the module, after its mistake was reported.
pub(crate) fn reported(callback: &Block, diagnostics: &mut Diagnostics) -> Option<Block> {
    if callback.role != Role::Callback {
        return None;
    }
    let arguments = callback.hooks.iter().flat_map(|hook| hook.method.arguments());
    let mut modules = arguments.filter(|argument| argument.name == "module").map(|argument| argument.ty);
    let ty = modules.next()?;
    let Type::Path(path) = without_reference(ty) else { return None };
    let name = path.path.get_ident()?;
    let (file, line) = (SourceFile::of(Span::call_site())?, Span::call_site().unwrap().line());
    if !file.is_first_block(&[Role::Callback], name, line)
        || file.has_text(|text| may_annotate(text, &name.to_string()))
    {
        return None;
    }
    let found = file.unannotated_block(Role::Module, name)?;
    if file.any_text(|text| may_annotate(text, &name.to_string())) {
        return None;
    }
    // rustc reports an attribute that is misspelled
    if !found.attrs.iter().any(is_misspelled) {
        diagnostics.add(name, catalogue::unannotated_module(name));
    }
    read(Role::Module, found)
}

/// Returns the block of this type in the file without its attribute, which is reported where it stands.
pub(crate) fn of_type(role: Role, name: &Ident) -> Option<Block> {
    read(role, SourceFile::of(Span::call_site())?.unannotated_block(role, name)?)
}

/// Reads a block of the file as if it had the attribute.
fn read(role: Role, mut found: ItemImpl) -> Option<Block> {
    found.attrs.clear();
    let mut of_block = Diagnostics::new();
    let item = parse::block(role, &found.to_token_stream(), &mut of_block);
    let block = item.map(|item| {
        let mut block = Block::new(role, Arguments::default(), item);
        super::block(&mut block, &mut of_block);
        block
    });
    // its other mistakes are reported when it has the attribute
    drop(of_block.into_compile_errors());
    block
}

/// Whether it is `#[lightening_module]` or `#[LightningModule]`.
fn is_misspelled(attribute: &Attribute) -> bool {
    let words = |name: &str| name.to_lowercase().replace('_', "");
    let name = attribute.path().get_ident().map(ToString::to_string).unwrap_or_default();
    strsim::damerau_levenshtein(&words(&name), &words(Role::Module.attribute())) <= 2
}

/// Whether the text may have another block of the module, with the attribute, or its traits by hand.
fn may_annotate(text: &str, name: &str) -> bool {
    let follows =
        |place: usize| text[place..].lines().take(12).any(|line| line.contains("impl") && line.contains(name));
    let is_annotated = text.match_indices("#[lightning_module").any(|(place, _)| follows(place));
    is_annotated || text.contains("lightning_module as ") || text.contains(&format!("LightningModule for {name}"))
}
