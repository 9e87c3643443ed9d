//! The implementations of `HasHparams`, `FromHparams` and `FromHparamsAndData`, for the generated program to call the constructor.

use super::conditions::condition;
use super::{although_deprecated, quiet};
use crate::constructor::{Constructor, Data, Parameter};
use crate::free_name::free_name;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::{Method, TRAINER_DEFAULTS};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, parse_quote};

/// Returns the implementations for the block's constructor; nothing if the program cannot call it.
pub(super) fn implementations(block: &Block, private: &TokenStream) -> TokenStream {
    block.constructors().map(|new| Implementations { block, private, new }.written()).collect()
}

struct Implementations<'a> {
    block: &'a Block,
    private: &'a TokenStream,
    new: Constructor<'a>,
}

impl Implementations<'_> {
    fn written(&self) -> TokenStream {
        let private = self.private;
        let has_hparams = self.has_hparams();
        let result = quote!(#private::Result<Self>);
        let hparams = quote!(<Self as #private::HasHparams>::Hparams);
        if let Some(data) = &self.new.data {
            let (generics, data) = self.generics_for(data);
            let constructed = self.constructed();
            let constructor = quote! {
                fn from_hparams_and_data(__hparams: #hparams, __data: &#data) -> #result { #constructed }
            };
            let from_data = self.implementation(&quote!(FromHparamsAndData<#data>), generics, &constructor);
            return quote!(#has_hparams #from_data);
        }
        let constructed = self.constructed();
        let constructor = quote!(fn from_hparams(__hparams: #hparams) -> #result { #constructed });
        let from_hparams = self.implementation(&quote!(FromHparams), self.constructor_generics(), &constructor);
        let from_data = (self.block.role == Role::Module).then(|| {
            let mut generics = self.constructor_generics();
            let data = free_name("Data", self.names());
            generics.params.push(parse_quote!(#data));
            let constructor = quote! {
                fn from_hparams_and_data(__hparams: #hparams, _: &#data) -> #result {
                    <Self as #private::FromHparams>::from_hparams(__hparams)
                }
            };
            self.implementation(&quote!(FromHparamsAndData<#data>), generics, &constructor)
        });
        quote!(#has_hparams #from_hparams #from_data)
    }

    fn has_hparams(&self) -> TokenStream {
        let private = self.private;
        let hparams = self.new.hparams.as_ref().filter(|_| !self.block.has_faulty_hparams);
        let hparams = hparams.map_or_else(|| quote!(#private::NoHparams), |hparams| hparams.ty.to_token_stream());
        let defaults = self.block.methods(TRAINER_DEFAULTS);
        let is_sound = self.block.role == Role::Module && !self.block.has_faulty_defaults;
        let is_read = |method: &&Method| is_sound && !method.conditions.is_marked;
        let defaults = defaults.filter(is_read).map(|method| {
            let (condition, although_deprecated) = (condition(method), although_deprecated(&method.attrs));
            let call = quote_spanned!(method.sig.ident.span()=> Self::trainer_defaults());
            quote! {
                #condition
                #although_deprecated
                fn trainer_defaults() -> #private::TrainerConfig {
                    #call
                }
            }
        });
        // if the type is private, the error is at it
        let associated = quote_spanned!(hparams.span()=> type Hparams = #hparams;);
        let items = quote! {
            #associated

            #(#defaults)*
        };
        self.implementation(&quote!(HasHparams), self.block.generics(), &items)
    }

    fn implementation(&self, implemented: &TokenStream, mut generics: Generics, items: &TokenStream) -> TokenStream {
        let (private, condition) = (self.private, condition(self.new.method));
        let head = &self.block.item.head;
        let (name, quiet) = (&head.self_ty, quiet(&head.attrs));
        let although_deprecated = although_deprecated(&self.new.method.attrs);
        if let (Some(Parameter { ty: hparams, is_named_hparams: false, .. }), false) =
            (&self.new.hparams, self.block.has_faulty_hparams)
        {
            // rustc rejects a bound that never holds, unless it has its own lifetimes
            let bound = quote_spanned!(hparams.span()=> for<'__any> #hparams: #private::Hyperparameters);
            generics.make_where_clause().predicates.push(parse_quote!(#bound));
        }
        let (generics, _, bounds) = generics.split_for_impl();
        quote! {
            #condition
            #quiet
            #although_deprecated
            impl #generics #private::#implemented for #name #bounds {
                #items
            }
        }
    }

    /// The call of `new` with the variables `__hparams` and, if it takes the data module, `__data`.
    fn constructed(&self) -> TokenStream {
        let (private, method) = (self.private, self.new.method);
        if self.block.has_faulty_hparams || self.block.stand_in_constructor.is_some() {
            return quote!(::core::unimplemented!());
        }
        let hparams = self.new.hparams.as_ref().map(|hparams| match hparams.is_reference {
            true => quote!(&__hparams),
            false => quote!(__hparams),
        });
        let data = self.new.data.as_ref().map(|_| quote!(__data));
        let (first, second) = if self.new.data_is_first { (data, hparams) } else { (hparams, data) };
        let arguments = first.into_iter().chain(second);
        let returned = method.returned();
        let name = &method.sig.ident;
        let call = quote_spanned!(name.span()=> Self::#name(#(#arguments),*));
        quote_spanned!(returned.span()=> <#returned as #private::Made<Self, _>>::into_made(#call))
    }

    /// The block's generics with the bounds of the constructor.
    fn constructor_generics(&self) -> Generics {
        let mut generics = self.block.generics();
        if let Some(own) = &self.new.method.sig.generics.where_clause {
            generics.make_where_clause().predicates.extend(own.predicates.iter().cloned());
        }
        generics
    }

    /// The generics of an implementation for these data modules, and their type in it.
    fn generics_for(&self, data: &Data<'_>) -> (Generics, TokenStream) {
        let mut generics = self.constructor_generics();
        match data {
            Data::One(one) => (generics, one.to_token_stream()),
            Data::Every(parameter) => {
                generics.params.push(parse_quote!(#parameter));
                (generics, parameter.ident.to_token_stream())
            }
            Data::Some(bounds) => {
                let (name, bounds) = (free_name("Data", self.names()), &bounds.bounds);
                generics.params.push(parse_quote!(#name: #bounds));
                (generics, name.to_token_stream())
            }
        }
    }

    /// The code in which a new type parameter must not have the name of something else.
    fn names(&self) -> TokenStream {
        let (head, private) = (&self.block.item.head, self.private);
        let (generics, bounds, ty, signature) =
            (&head.generics, &head.generics.where_clause, &head.self_ty, &self.new.method.sig);
        quote!(#generics #bounds #ty #private #signature)
    }
}
