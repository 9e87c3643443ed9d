//! The dispatch of the callbacks' hooks: to each callback of a run, in their order.

use super::{parameters_of, value_of};
use crate::hooks::{Hook, HookTrait};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn dispatch(declared: HookTrait) -> TokenStream {
    let of_one = declared.hooks().map(call_of_one);
    let of_all = moments(declared).map(call_of_all);
    quote! {
        impl<M: LightningModule> Callbacks<M> {
            #(#of_one)*
            #(#of_all)*
        }
    }
}

/// The hooks that are called at a moment of the run; the others are for each callback's state.
pub(crate) fn moments(declared: HookTrait) -> impl Iterator<Item = Hook> {
    declared.hooks().filter(|hook| hook.parameter("module").is_some())
}

fn call_of_one(hook: Hook) -> TokenStream {
    let (name, variant, value) = (hook.ident(), hook.variant(), value_of(hook));
    let of_one = format_ident!("{name}_of");
    let (names, parameters) = parameters_of(hook, &["ctx"]);
    let closure = quote!(|ctx| callback.#name(ctx.at(), #(#names),*));
    let (caller, closure) = match hook.has_value() {
        true => (quote!(callback_value), closure),
        false => (quote!(callback), quote!(&mut #closure)),
    };
    quote! {
        /// Calls the hook of one callback.
        #[inline]
        #[allow(clippy::too_many_arguments)] // they are those of the hook
        pub(crate) fn #of_one(
            &mut self,
            index: usize,
            ctx: &mut RunContext,
            #(#parameters),*
        ) -> std::result::Result<#value, Error> {
            let callback = &mut self.list[index];
            call_hook::#caller(Hook::#variant, callback.name(), ctx, #closure)
        }
    }
}

fn call_of_all(hook: Hook) -> TokenStream {
    let name = hook.ident();
    let of_one = format_ident!("{name}_of");
    let (names, parameters) = parameters_of(hook, &["ctx"]);
    quote! {
        #[inline]
        pub(crate) fn #name(&mut self, ctx: &mut RunContext, #(#parameters),*) -> std::result::Result<(), Error> {
            (0..self.list.len()).try_for_each(|index| self.#of_one(index, ctx, #(#names),*))
        }
    }
}
