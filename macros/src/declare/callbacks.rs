//! The list of a run's callbacks: each hook is called on all of them, in their order.

use super::{parameters_of, value_of};
use crate::hooks::{Hook, HookTrait};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn dispatch(declared: HookTrait) -> TokenStream {
    let calls = moments(declared).map(call);
    quote! {
        impl<M: LightningModule> Callbacks<M> {
            #(#calls)*
        }
    }
}

/// The hooks that are called at a moment of the run; the others are for each callback's state.
pub(crate) fn moments(declared: HookTrait) -> impl Iterator<Item = Hook> {
    declared.hooks().filter(|hook| hook.parameter("module").is_some())
}

fn call(hook: Hook) -> TokenStream {
    let (name, variant, value) = (hook.ident(), hook.variant(), value_of(hook));
    let (names, parameters) = parameters_of(hook, &["ctx"]);
    quote! {
        #[inline]
        pub(crate) fn #name(&mut self, ctx: &mut RunContext, #(#parameters),*) -> std::result::Result<#value, Error> {
            for callback in &mut self.list {
                edge::callback(Hook::#variant, callback.name(), ctx, |ctx| callback.#name(ctx.at(), #(#names),*))?;
            }
            Ok(())
        }
    }
}
