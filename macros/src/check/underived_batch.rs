//! A struct that is taken as a batch without `#[derive(Batch)]`.
//!
//! Everything that has to do with such a batch would be an error: its loaders, its `Collate`, each step. So where the file shows the struct, the
//! first block of the file that takes it reports the mistake, and it gets an implementation.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::source_file::SourceFile;
use proc_macro2::Span;
use syn::{Ident, Type};

/// Returns the type that needs an implementation, after its mistake was reported.
pub(super) fn reported(block: &Block, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let decided = block.decided_batches();
    let [decided] = decided.as_slice() else { return None };
    let Type::Path(path) = &decided.batch else { return None };
    let name = path.path.get_ident()?;
    let file = SourceFile::of(Span::call_site())?;
    let line = Span::call_site().unwrap().line();
    let is_first = file.is_first_block(&[Role::Module, Role::DataModule], name, line);
    if !is_first || !file.has_underived_batch(name) || file.any_text(|text| may_implement(text, &name.to_string())) {
        return None;
    }
    diagnostics.add(name, catalogue::underived_batch(name));
    Some(name.clone())
}

/// Whether the text may have an implementation, by hand or by a macro.
fn may_implement(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let is_macro = line.contains("!(") || line.contains("! {") || line.contains("!{");
        line.contains(name) && (line.contains("Batch for") || is_macro && line.contains("atch"))
    })
}
