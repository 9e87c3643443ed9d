//! The generated trainer: `main`, `trainer`, `hooks`, and the constructor that the command line calls.

use crate::hooks::Role;
use crate::model::Block;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Type, parse_quote};

/// The functions that a module gets, unless the block has its own of that name.
pub(crate) fn inherent(block: &Block, root: &TokenStream) -> TokenStream {
    if block.role != Role::Module {
        return TokenStream::new();
    }
    let functions = [
        (
            "main",
            quote! {
                /// Runs the program of this module with the data module `Data`: `fit`, `validate`, `test`, `predict` and more.
                /// `--help` shows its flags.
                pub fn main<Data: #root::cli::ProgramData<Self>>() -> ::std::process::ExitCode {
                    <Data as #root::cli::ProgramData<Self>>::main()
                }
            },
        ),
        (
            "trainer",
            quote! {
                /// A trainer of this module with Lightning's defaults.
                pub fn trainer() -> #root::Trainer<Self> {
                    #root::Trainer::default()
                }
            },
        ),
        (
            "hooks",
            quote! {
                /// The hooks that this module overrides.
                pub fn hooks() -> ::std::vec::Vec<#root::Hook> {
                    #root::overridden_hooks::<Self>()
                }
            },
        ),
    ];
    let missing = functions.iter().filter(|(name, _)| block.method(name).is_none()).map(|(_, function)| function);
    let (generics, _, bounds) = block.item.generics.split_for_impl();
    let name = &block.item.self_ty;
    quote! {
        #[automatically_derived]
        #[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #name #bounds {
            #(#missing)*
        }
    }
}

/// `FromHparams`, where the block has a constructor of that form.
pub(crate) fn constructor(block: &Block, root: &TokenStream) -> TokenStream {
    let Some(new) = block.constructor() else { return TokenStream::new() };
    let (hparams, call) = match new.sig.inputs.first() {
        Some(FnArg::Typed(only)) => match only.ty.as_ref() {
            Type::Reference(reference) => (reference.elem.as_ref().clone(), quote!(Self::new(&hparams))),
            owned => (owned.clone(), quote!(Self::new(hparams))),
        },
        _ => (parse_quote!(#root::NoHparams), quote!(Self::new())),
    };
    let span = match &new.sig.output {
        ReturnType::Default => new.sig.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let made = quote_spanned!(span=> #root::__private::Made::into_made(#call));
    let defaults = block.method("trainer_defaults").map(|_| {
        quote! {
            fn trainer_defaults() -> #root::TrainerConfig {
                Self::trainer_defaults()
            }
        }
    });
    let (generics, _, bounds) = block.item.generics.split_for_impl();
    let name = &block.item.self_ty;
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #root::FromHparams for #name #bounds {
            type Hparams = #hparams;

            #[allow(unused_variables)]
            fn from_hparams(hparams: Self::Hparams) -> #root::__private::Result<Self> {
                #made
            }

            #defaults
        }
    }
}
