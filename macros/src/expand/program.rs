//! The functions that a module gets: `main`, `program`, `trainer` and `hooks`.

use super::conditions::first_of;
use super::quiet;
use crate::hooks::Role;
use crate::model::Block;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use std::collections::HashSet;

/// The functions that a module gets, unless the block has its own of that name.
pub(crate) fn inherent(block: &Block, private: &TokenStream) -> TokenStream {
    let data = data_parameter(block, private);
    let named = [
        ("main", main(&data, private)),
        ("program", program(&data, private)),
        ("trainer", trainer(private)),
        ("hooks", hooks(private)),
    ];
    let functions: Vec<TokenStream> =
        named.into_iter().filter_map(|(name, function)| unless_written(block, name, &function)).collect();
    if block.role != Role::Module || functions.is_empty() {
        return TokenStream::new();
    }
    let (generics, quiet) = (block.generics(), quiet(&block.item.head.attrs));
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    quote! {
        #quiet
        #[allow(dead_code, unreachable_pub)]
        impl #generics #name #bounds {
            #(#functions)*
        }
    }
}

/// The function where the block has none of this name.
fn unless_written(block: &Block, name: &str, function: &TokenStream) -> Option<TokenStream> {
    let own = block.methods(name).map(|method| (method.condition(), None));
    let (condition, function) = first_of(own, Some(function)).pop()?;
    function.map(|function| quote!(#condition #function))
}

/// The type parameter for the data module of the program.
fn data_parameter(block: &Block, private: &TokenStream) -> Ident {
    let head = &block.item.head;
    let (generics, bounds, ty) = (&head.generics, &head.generics.where_clause, &head.self_ty);
    free_name("Data", quote!(#generics #bounds #ty #private))
}

fn main(data: &Ident, private: &TokenStream) -> TokenStream {
    let about =
        format!(" Runs the program of this module with the data module `{data}`: `fit`, `validate`, `test`, `predict`");
    quote! {
        #[doc = #about]
        /// and more. `--help` shows its flags.
        pub fn main<#data: #private::ProgramData<Self> + #private::FromHparams + #private::Loads<<Self as #private::Batched>::Batch>>()
        -> ::std::process::ExitCode {
            <#data as #private::ProgramData<Self>>::main()
        }
    }
}

fn program(data: &Ident, private: &TokenStream) -> TokenStream {
    let about = format!(
        " Returns the program of this module with the data module `{data}`, for loggers and callbacks to be added."
    );
    quote! {
        #[doc = #about]
        pub fn program<#data: #private::ProgramData<Self> + #private::FromHparams + #private::Loads<<Self as #private::Batched>::Batch>>()
        -> #private::Program<Self, #data> {
            <#data as #private::ProgramData<Self>>::program()
        }
    }
}

/// Returns `name`, or a similar one that does not occur in the user's code.
pub(super) fn free_name(name: &str, code: TokenStream) -> Ident {
    let mut taken = HashSet::new();
    gather_names(code, &mut taken);
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

fn gather_names(code: TokenStream, names: &mut HashSet<String>) {
    for token in code {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => gather_names(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn trainer(private: &TokenStream) -> TokenStream {
    quote! {
        /// A trainer of this module with Lightning's defaults.
        pub fn trainer() -> #private::Trainer<Self> {
            ::core::default::Default::default()
        }
    }
}

fn hooks(private: &TokenStream) -> TokenStream {
    quote! {
        /// The hooks that this module overrides.
        pub fn hooks() -> ::std::vec::Vec<#private::Hook> {
            #private::overridden_hooks::<Self>()
        }
    }
}
