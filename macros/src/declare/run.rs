//! The hooks that callbacks and the module share: the callbacks' run first, then the module's, as in Lightning.

use super::{parameters_of, value_of};
use crate::hooks::{Hook, HookTrait, Role};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn both() -> TokenStream {
    let callback: Vec<&str> =
        HookTrait::named("Callback").into_iter().flat_map(HookTrait::hooks).map(Hook::name).collect();
    // those that a data module has too are called through the source of the data
    let is_of_data = |declared: &HookTrait| Role::DataModule.traits().any(|of_data| of_data.name() == declared.name());
    let shared = Role::Module.traits().filter(|declared| !is_of_data(declared)).flat_map(HookTrait::hooks);
    let shared = shared.filter(|hook| callback.contains(&hook.name()));
    let methods = shared.map(method);
    quote! {
        impl<M: LightningModule> Run<'_, M> {
            #(#methods)*
        }
    }
}

fn method(hook: Hook) -> TokenStream {
    let (name, value) = (hook.ident(), value_of(hook));
    let table = format_ident!("{}Table", hook.trait_name());
    let of_one = format_ident!("{name}_of");
    let (names, parameters) = parameters_of(hook, &["ctx"]);
    quote! {
        #[inline]
        pub(crate) fn #name(&mut self, #(#parameters),*) -> std::result::Result<#value, Error> {
            for index in 0..self.callbacks.list.len() {
                self.#of_one(index, #(#names),*)?;
            }
            let value = #table::#name(self.module, self.ctx, #(#names),*)?;
            self.save_what_was_asked_for()?;
            Ok(value)
        }

        /// Calls the hook of one callback.
        #[inline]
        pub(crate) fn #of_one(&mut self, index: usize, #(#parameters),*) -> std::result::Result<(), Error> {
            self.callbacks.#of_one(index, self.ctx, self.module, #(#names),*)?;
            self.save_what_was_asked_for()
        }
    }
}
