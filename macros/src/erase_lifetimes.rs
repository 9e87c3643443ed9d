//! Replaces the lifetimes of a type that must not borrow by `'static`. The type gets implementations in spite of its error, so that
//! there are no further errors where it is used.

use crate::model::Block;
use crate::parse::BlockItem;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, Generics, Ident, Lifetime, ParenthesizedGenericArguments, Type, TypeBareFn, TypeReference};

/// Replaces lifetimes that were removed from generics by `'static`.
pub(crate) struct ErasedLifetimes {
    lifetimes: Vec<Ident>,
}

impl ErasedLifetimes {
    /// Removes the lifetimes.
    pub(crate) fn of(generics: &mut Generics) -> Self {
        let lifetimes = generics.lifetimes().map(|parameter| parameter.lifetime.ident.clone()).collect();
        let others = std::mem::take(&mut generics.params).into_iter();
        generics.params = others.filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_))).collect();
        let mut owned = Self { lifetimes };
        owned.visit_generics_mut(generics);
        owned
    }
}

impl VisitMut for ErasedLifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.lifetimes.contains(&lifetime.ident) {
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }
}

/// Replaces lifetimes without a name by `'static`, and collects their tokens.
#[derive(Default)]
struct Anonymous {
    found: Vec<TokenStream>,
}

impl VisitMut for Anonymous {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            self.found.push(lifetime.to_token_stream());
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            self.found.push(reference.and_token.to_token_stream());
            reference.lifetime = Some(Lifetime::new("'static", reference.and_token.spans[0]));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    // the lifetimes of a function's arguments are those of each call
    fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
}

/// The lifetimes of a block's type that have no name: `'_`, and the `&` of a reference without one.
pub(crate) fn anonymous_lifetimes(ty: &Type) -> Vec<TokenStream> {
    let mut anonymous = Anonymous::default();
    anonymous.visit_type_mut(&mut ty.clone());
    anonymous.found
}

/// Replaces the lifetimes of the block's type.
pub(crate) fn erase_lifetimes(block: &mut Block) {
    let mut owned = ErasedLifetimes::of(&mut block.item.head.generics);
    owned.visit_type_mut(&mut block.item.head.self_ty);
    Anonymous::default().visit_type_mut(&mut block.item.head.self_ty);
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item {
            owned.visit_signature_mut(&mut method.sig);
        }
    }
    for hook in &mut block.hooks {
        owned.visit_signature_mut(&mut hook.method.sig);
    }
}
