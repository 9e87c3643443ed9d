//! The capabilities of a module as traits, so that `fit` of a module without a `training_step` does not compile.

use super::conditions::condition;
use super::quiet;
use crate::model::Block;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// Returns the implementations for the hooks that are defined, each with its hook's own `#[cfg]`.
pub(crate) fn markers(block: &Block, private: &TokenStream) -> TokenStream {
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    let quiet = quiet(&block.item.head.attrs);
    let written =
        block.hooks.iter().filter_map(|hook| Some((condition(&hook.method), hook.declared.capability()?.marker)));
    let manual = (!block.arguments.automatic_optimization).then_some((None, "OptimizesManually"));
    let marked = written.chain(manual);
    marked
        .map(|(condition, marker)| {
            let marker = Ident::new(marker, Span::call_site());
            quote! {
                #condition
                #quiet
                impl #generics #private::#marker for #name #bounds {}
            }
        })
        .collect()
}
