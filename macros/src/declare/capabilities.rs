//! The capabilities of modules: a trait for each hook that a method of the trainer requires.

use crate::hooks::{Capability, Hook, HookTrait, Role};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn traits() -> TokenStream {
    let hooks = Role::Module.traits().flat_map(HookTrait::hooks);
    hooks.filter_map(|hook| Some(declared(hook, hook.capability()?))).collect()
}

fn declared(hook: Hook, capability: Capability) -> TokenStream {
    let Capability { marker, method, form, code } = capability;
    let (name, hook) = (format_ident!("{marker}"), hook.name());
    let about =
        format!(" A module that defines `{hook}`, which [`Trainer::{method}`](crate::Trainer::{method}) requires.");
    let message = format!("`{method}` requires `{hook}`, but `{{Self}}` does not define it [{code}]");
    let note = format!(
        "write `{form}` in the block under `#[lightning_module]`; if you implement the traits by hand, also write `impl {marker} for {{Self}} {{{{}}}}`"
    );
    quote! {
        #[doc = #about]
        #[diagnostic::on_unimplemented(message = #message, note = #note)]
        pub trait #name: LightningModule {}
    }
}
