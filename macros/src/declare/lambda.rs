//! `LambdaCallback`: a field for the closure of each hook of a callback, and the method that sets it.

use super::{callbacks, parameters_of};
use crate::hooks::{Hook, HookTrait};
use crate::types::of_module;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn callback(declared: HookTrait) -> TokenStream {
    let hooks: Vec<Hook> = callbacks::moments(declared).collect();
    let names: Vec<_> = hooks.iter().map(|hook| hook.ident()).collect();
    let fields = hooks.iter().copied().map(field);
    let setters = hooks.iter().copied().map(setter);
    let calls = hooks.iter().copied().map(call);
    quote! {
        /// The closures of a [`LambdaCallback`], those that were given.
        #[allow(clippy::type_complexity)]
        struct Lambdas<M: LightningModule> {
            #(#fields,)*
        }

        impl<M: LightningModule> Default for Lambdas<M> {
            fn default() -> Self {
                Self { #(#names: None,)* }
            }
        }

        impl<M: LightningModule> LambdaCallback<M> {
            #(#setters)*
        }

        impl<M: LightningModule> Callback<M> for LambdaCallback<M> {
            fn name(&self) -> &'static str {
                "LambdaCallback"
            }

            #(#calls)*
        }
    }
}

fn field(hook: Hook) -> TokenStream {
    let (name, types) = (hook.ident(), types(hook));
    quote!(#name: Option<Box<dyn FnMut(#types) -> Result<()>>>)
}

fn setter(hook: Hook) -> TokenStream {
    let (name, types) = (hook.ident(), types(hook));
    let (names, _) = parameters_of(hook, &[]);
    let about = hook.about();
    let about = about.split("\n\n").next().unwrap_or_default();
    quote! {
        #[doc = #about]
        pub fn #name<R: LambdaReturn>(mut self, mut lambda: impl FnMut(#types) -> R + 'static) -> Self {
            self.lambdas.#name = Some(Box::new(move |#(#names),*| lambda(#(#names),*).into_result()));
            self
        }
    }
}

fn call(hook: Hook) -> TokenStream {
    let name = hook.ident();
    let (names, parameters) = parameters_of(hook, &[]);
    quote! {
        fn #name(&mut self, #(#parameters),*) -> Result<()> {
            self.lambdas.#name.as_mut().map_or(Ok(()), |lambda| lambda(#(#names),*))
        }
    }
}

/// The types of the parameters, as a closure takes them.
fn types(hook: Hook) -> TokenStream {
    let types = hook.parameters().map(|parameter| of_module(parameter.declared));
    quote!(#(#types),*)
}
