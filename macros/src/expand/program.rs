//! The generated trainer: `main`, `trainer`, `hooks`, and the constructor that the command line calls.

use crate::hooks::Role;
use crate::model::Block;
use crate::parse::Method;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Generics, Type, parse_quote};

/// The functions that a module gets, unless the block has its own of that name.
pub(crate) fn inherent(block: &Block, root: &TokenStream) -> TokenStream {
    let functions: Vec<TokenStream> = [("main", main(block, root)), ("trainer", trainer(root)), ("hooks", hooks(root))]
        .into_iter()
        .filter_map(|(name, function)| block.method(name).is_none().then_some(function))
        .collect();
    if block.role != Role::Module || functions.is_empty() {
        return TokenStream::new();
    }
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    quote! {
        #[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #name #bounds {
            #(#functions)*
        }
    }
}

fn main(block: &Block, root: &TokenStream) -> TokenStream {
    let data = free_name("Data", &block.item.head.generics);
    let about =
        format!(" Runs the program of this module with the data module `{data}`: `fit`, `validate`, `test`, `predict`");
    quote! {
        #[doc = #about]
        /// and more. `--help` shows its flags.
        pub fn main<#data: #root::cli::ProgramData<Self> + #root::FromHparams + #root::Loads<<Self as #root::Batched>::Batch>>()
        -> ::std::process::ExitCode {
            <#data as #root::cli::ProgramData<Self>>::main()
        }
    }
}

/// `name`, or a like one that the block's own parameters leave free.
pub(super) fn free_name(name: &str, generics: &Generics) -> Ident {
    let mut name = Ident::new(name, Span::call_site());
    let taken: Vec<&Ident> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .chain(generics.const_params().map(|parameter| &parameter.ident))
        .collect();
    while taken.contains(&&name) {
        name = format_ident!("{name}Module");
    }
    name
}

fn trainer(root: &TokenStream) -> TokenStream {
    quote! {
        /// A trainer of this module with Lightning's defaults.
        pub fn trainer() -> #root::Trainer<Self> {
            ::core::default::Default::default()
        }
    }
}

fn hooks(root: &TokenStream) -> TokenStream {
    quote! {
        /// The hooks that this module overrides.
        pub fn hooks() -> ::std::vec::Vec<#root::Hook> {
            #root::overridden_hooks::<Self>()
        }
    }
}

/// `FromHparams`, where the block has a constructor of that form.
pub(crate) fn constructor(block: &Block, root: &TokenStream) -> TokenStream {
    let Some(new) = block.constructor() else { return TokenStream::new() };
    let (parameter, hparams, argument) = hparams(new, root);
    let (condition, returned) = (super::condition(new), new.returned());
    let call = quote_spanned!(new.sig.ident.span()=> Self::new(#argument));
    let made = quote_spanned!(returned.span()=> <#returned as #root::__private::Made<Self>>::into_made(#call));
    let defaults = block.method("trainer_defaults").map(|method| {
        let condition = super::condition(method);
        let call = quote_spanned!(method.sig.ident.span()=> Self::trainer_defaults());
        quote! {
            #condition
            fn trainer_defaults() -> #root::TrainerConfig {
                #call
            }
        }
    });
    let generics = block.generics();
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    quote! {
        #condition
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #root::FromHparams for #name #bounds {
            type Hparams = #hparams;

            fn from_hparams(#parameter: Self::Hparams) -> #root::__private::Result<Self> {
                #made
            }

            #defaults
        }
    }
}

/// How the hyperparameters are called, their type, and how `new` takes them.
fn hparams(new: &Method, root: &TokenStream) -> (Ident, Type, TokenStream) {
    let hparams = Ident::new("hparams", Span::call_site());
    match new.sig.inputs.first() {
        Some(FnArg::Typed(only)) => match only.ty.as_ref() {
            Type::Reference(reference) => (hparams.clone(), reference.elem.as_ref().clone(), quote!(&#hparams)),
            owned => (hparams.clone(), owned.clone(), quote!(#hparams)),
        },
        _ => (format_ident!("_hparams"), parse_quote!(#root::NoHparams), TokenStream::new()),
    }
}
