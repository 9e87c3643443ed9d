//! The list of a run's callbacks: each hook is called on all of them, in their order.

use super::{parameters_of, value_of};
use crate::hooks::{Hook, HookTrait};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn dispatch(declared: &HookTrait) -> TokenStream {
    // the others are not called at a moment of the run, but for each callback's state
    let moments = declared.hooks().filter(|hook| hook.parameters().iter().any(|parameter| parameter.name == "module"));
    let calls = moments.map(|hook| call(&hook));
    quote! {
        impl<M: LightningModule> Callbacks<M> {
            #(#calls)*
        }
    }
}

fn call(hook: &Hook) -> TokenStream {
    let (name, variant, value) = (hook.name(), hook.variant(), value_of(hook));
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
