//! The bounds of a derived batch: as serde's derives, a type parameter must be a batch if a field has it.

use proc_macro2::TokenStream;
use std::collections::BTreeSet;
use syn::visit_mut::{VisitMut, visit_type_path_mut};
use syn::{DeriveInput, Generics, Type, TypePath, WherePredicate, parse_quote};

/// Returns the generics of the implementation. `fields` are the types of the fields that are visited.
pub(super) fn of<'a>(item: &DeriveInput, fields: impl Iterator<Item = &'a Type>, private: &TokenStream) -> Generics {
    let parameters = item.generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let mut used = Used { parameters, ..Used::default() };
    for field in fields {
        used.visit_type_mut(&mut field.clone());
    }
    let mut generics = item.generics.clone();
    let all = &mut generics.make_where_clause().predicates;
    for parameter in item.generics.type_params().map(|parameter| &parameter.ident) {
        all.push(if used.found.contains(&parameter.to_string()) {
            parse_quote!(#parameter: #private::Batch)
        } else {
            // a batch owns its data
            parse_quote!(#parameter: 'static)
        });
    }
    all.extend(
        used.associated.iter().map(|associated| -> WherePredicate { parse_quote!(#associated: #private::Batch) }),
    );
    generics
}

/// Returns the generics of an implementation that looks at no field: a batch owns its data.
pub(super) fn owned(item: &DeriveInput) -> Generics {
    let mut generics = item.generics.clone();
    for parameter in item.generics.type_params().map(|parameter| &parameter.ident) {
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: 'static));
    }
    generics
}

/// The type parameters that fields have outside of `PhantomData`.
#[derive(Default)]
struct Used {
    parameters: BTreeSet<String>,
    found: BTreeSet<String>,
    /// Types such as `T::Item`.
    associated: Vec<TypePath>,
}

impl VisitMut for Used {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        let last = path.path.segments.last().map(|segment| segment.ident.to_string());
        if last.as_deref() == Some("PhantomData") {
            return;
        }
        let first = path.path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if path.qself.is_none() && self.parameters.contains(&first) {
            if path.path.segments.len() > 1 {
                self.associated.push(path.clone());
            } else {
                self.found.insert(first);
            }
        }
        visit_type_path_mut(self, path);
    }
}
