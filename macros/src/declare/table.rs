//! The dispatch table of a trait: one function pointer for each overridden hook, a constant.

use super::{parameters_of, value_of};
use crate::hooks::{Hook, HookTrait, Parameter};
use crate::types::of_module;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn table(declared: HookTrait) -> TokenStream {
    let trait_name = format_ident!("{}", declared.name());
    let table = format_ident!("{trait_name}Table");
    let hooks: Vec<Hook> = declared.hooks().collect();
    let names: Vec<_> = hooks.iter().map(|hook| hook.ident()).collect();
    let variants: Vec<_> = hooks.iter().map(|hook| hook.variant()).collect();
    let fields = hooks.iter().copied().map(field);
    let calls = hooks.iter().map(|hook| call(declared, *hook));
    let (overrides, dataloaders) = (overrides(declared), dataloaders(declared));
    let about =
        format!(" The hooks of [`{trait_name}`] that `M` overrides, as function pointers; `None` where it does not.");
    quote! {
        #[doc = #about]
        pub struct #table<M: #trait_name> {
            #(#fields,)*
        }

        impl<M: #trait_name> #table<M> {
            /// No hook is overridden.
            pub const NONE: Self = Self { #(#names: None,)* };

            /// Every hook is called, for an implementation by hand.
            pub const ALL: Self = Self { #(#names: Some(<M as #trait_name>::#names),)* };

            /// The overridden hooks, in the order of their declaration.
            pub fn overridden(&self) -> Vec<Hook> {
                let all = [#((self.#names.is_some(), Hook::#variants),)*];
                all.into_iter().filter_map(|(overridden, hook)| overridden.then_some(hook)).collect()
            }

            #overrides
            #(#calls)*
            #dataloaders
        }
    }
}

/// The question whether a hook is overridden, in the tables of which it is asked.
fn overrides(declared: HookTrait) -> Option<TokenStream> {
    declared.hooks().any(|hook| hook.is_step() || hook.is_dataloader()).then(|| {
        let (variants, names): (Vec<_>, Vec<_>) = declared.hooks().map(|hook| (hook.variant(), hook.ident())).unzip();
        quote! {
            /// Whether the hook is overridden.
            pub(crate) const fn overrides(&self, hook: Hook) -> bool {
                match hook {
                    #(Hook::#variants => self.#names.is_some(),)*
                    _ => false,
                }
            }
        }
    })
}

/// The call of that hook of the trait which returns the loaders of another verb than `fit`.
fn dataloaders(declared: HookTrait) -> Option<TokenStream> {
    let several = declared.hooks().filter(|hook| hook.value().is_some_and(|value| value.starts_with("DataLoaders")));
    let (variants, names): (Vec<_>, Vec<_>) = several.map(|hook| (hook.variant(), hook.ident())).unzip();
    (!names.is_empty()).then(|| {
        quote! {
            /// Calls the hook, which returns loaders.
            pub(crate) fn dataloaders(
                hook: Hook,
                module: &mut M,
                ctx: &mut RunContext,
            ) -> std::result::Result<DataLoaders<M::Batch>, Error> {
                match hook {
                    #(Hook::#variants => Self::#names(module, ctx),)*
                    hook => Err(Error::Missing { stage: ctx.stage(), hook }),
                }
            }
        }
    })
}

fn field(hook: Hook) -> TokenStream {
    let name = hook.ident();
    let types = hook.parameters().map(|parameter| of_module(parameter.declared));
    let value = value_of(hook);
    let about = format!(" [`Hook::{}`].", hook.variant());
    quote! {
        #[doc = #about]
        pub #name: Option<fn(&mut M, #(#types),*) -> Result<#value>>
    }
}

/// The call of one hook by the loops, where errors and panics get their location.
fn call(declared: HookTrait, hook: Hook) -> TokenStream {
    let trait_name = format_ident!("{}", declared.name());
    let (name, variant, value) = (hook.ident(), hook.variant(), value_of(hook));
    let (names, parameters) = parameters_of(hook, &["ctx"]);
    let has_callbacks = hook.parameters().any(Parameter::is_training_context);
    let (callbacks, context) = match has_callbacks {
        true => (quote!(callbacks: &mut Callbacks<M>,), quote!(&mut TrainingContext::new(ctx.at(), callbacks))),
        false => (TokenStream::new(), quote!(ctx.at())),
    };
    let closure = quote!(|ctx| hook(module, #context, #(#names),*));
    let (caller, closure) = match hook.has_value() {
        true => (quote!(module_value), closure),
        false => (quote!(module), quote!(&mut #closure)),
    };
    let called = quote!(call_hook::#caller(Hook::#variant, std::any::type_name::<M>(), ctx, #closure));
    let body = match hook.constant_default() {
        Some(value) => quote! {
            match <M as #trait_name>::TABLE.#name {
                Some(hook) => #called,
                None => Ok(#value),
            }
        },
        None => quote! {
            let hook = <M as #trait_name>::TABLE.#name.unwrap_or(<M as #trait_name>::#name);
            #called
        },
    };
    quote! {
        #[inline]
        #[allow(dead_code, unused_variables)]
        pub(crate) fn #name(module: &mut M, ctx: &mut RunContext, #callbacks #(#parameters),*) -> std::result::Result<#value, Error> {
            #body
        }
    }
}
