//! The hyperparameters that `new` takes.

use crate::catalogue::{self, Diagnostic};
use crate::constructor::{Constructor, Parameter};
use crate::diagnostics::Diagnostics;
use crate::model::Block;
use crate::source_file::SourceFile;
use crate::types::readable;

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
    diagnostics.count() == before
}

fn mistake(block: &Block, new: &Constructor<'_>, hparams: &Parameter<'_>) -> Option<Diagnostic> {
    let is_no_struct = hparams.is_no_struct();
    // under their own name they are always those of the program, whose type the compiler checks
    if hparams.is_named_hparams {
        return is_no_struct.then(|| plain(hparams));
    }
    let file = SourceFile::of(new.method.sig.ident.span())?;
    if !file.calls_program_of(&block.item.head.self_ty) {
        return None;
    }
    if is_no_struct {
        return Some(plain(hparams));
    }
    let missing = file.missing_derives(hparams.ty).filter(|missing| !missing.is_empty())?;
    Some(catalogue::hyperparameters_without_derives(readable(hparams.ty), missing.join(", ")))
}

fn plain(hparams: &Parameter<'_>) -> Diagnostic {
    catalogue::plain_hyperparameters(readable(hparams.ty), field_for(hparams))
}

/// The name of a field for a value that is taken in place of hyperparameters.
fn field_for(hparams: &Parameter<'_>) -> String {
    match (hparams.name.as_str(), readable(hparams.ty).as_str()) {
        ("hparams", "f32" | "f64") => "lr".to_owned(),
        ("hparams", _) => "width".to_owned(),
        (name, _) => name.to_owned(),
    }
}
