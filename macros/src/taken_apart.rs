//! Batches that a step takes in parts: `images: &Tensor, labels: &Tensor`, or a pattern in the place of a name.

use crate::hooks::Hook;
use crate::model::{Written, argument_name};
use crate::python_names;
use crate::types;
use syn::{FnArg, Pat, PatIdent, Type, parse_quote};

impl Written {
    /// The parameters that are parts of the batch, each with its type.
    pub(crate) fn parts_of_batch(&self) -> Vec<(&PatIdent, &Type)> {
        let takes_batch = self.method.arguments().iter().any(|argument| argument.name == "batch");
        if !self.declared.is_step() || takes_batch {
            return Vec::new();
        }
        let is_part = |name: &PatIdent| is_unlike_all_parameters(self.declared, &argument_name(name));
        let parts: Vec<_> = self.method.named_parameters().filter(|(name, _)| is_part(name)).collect();
        if parts.len() < 2 { Vec::new() } else { parts }
    }

    /// The type of a batch that is taken in parts or by a pattern. Both are reported, and bring no other mistake.
    pub(crate) fn taken_apart(&self) -> Option<Type> {
        let parts = self.parts_of_batch();
        if !parts.is_empty() {
            let types = parts.iter().map(|(_, ty)| types::without_reference(ty));
            return Some(parse_quote!((#(#types),*)));
        }
        let pattern = self.method.sig.inputs.iter().find_map(|input| match input {
            FnArg::Typed(typed) if !matches!(*typed.pat, Pat::Ident(_) | Pat::Wild(_)) => Some(typed.ty.as_ref()),
            _ => None,
        });
        pattern.filter(|_| self.declared.is_step()).map(|ty| types::without_reference(ty).clone())
    }
}

/// Whether the name is not that of a parameter of the hook, nor of one of Lightning's or a misspelled one.
fn is_unlike_all_parameters(hook: Hook, asked: &str) -> bool {
    let is_near = |name: &str| strsim::damerau_levenshtein(asked, name) * 3 <= asked.chars().count();
    python_names::parameter(hook, asked).is_none() && !hook.parameters().any(|parameter| is_near(parameter.name))
}
