//! `#[derive(Choice)]`: the documentation of an enumeration's variants, and its parser as a flag.
//!
//! The names of variants and fields, and their defaults, are found at run time through serde, whose attributes need not be read here.

use crate::batch::derived;
use crate::catalogue;
use crate::expand::quiet;
use crate::types::{self, readable};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Field, Lit, Meta, Variant};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    // the fallback compiles, so that one mistake causes no further errors where the type is used
    derived("choice", item, implementation, |item, private| written(item, private, &quote!(::core::unimplemented!())))
}

/// `private` is the path of the runtime's private module.
pub(crate) fn implementation(item: &DeriveInput, private: &TokenStream) -> syn::Result<TokenStream> {
    let data = match &item.data {
        Data::Enum(data) if !data.variants.is_empty() => data,
        _ => return Err(syn::Error::new_spanned(&item.ident, catalogue::choice_without_variants())),
    };
    let inner = data
        .variants
        .iter()
        .flat_map(|variant| variant.attrs.iter().chain(variant.fields.iter().flat_map(|field| &field.attrs)));
    if let Some(attribute) = inner.into_iter().find(|attribute| attribute.path().is_ident("choice")) {
        return Err(syn::Error::new_spanned(attribute, catalogue::misplaced_choice()));
    }
    if let Some(field) = data.variants.iter().flat_map(|variant| &variant.fields).find(|field| is_bare_value(field)) {
        return Err(syn::Error::new_spanned(field, catalogue::choice_of_a_value(readable(&field.ty))));
    }
    if !has_tag(&item.attrs) {
        return Err(syn::Error::new_spanned(&item.ident, catalogue::choice_without_tag()));
    }
    let arms = data.variants.iter().map(|variant| arm(variant, private));
    Ok(written(item, private, &quote!(match self { #(#arms)* })))
}

/// The implementations, with the body of `documentation`.
fn written(item: &DeriveInput, private: &TokenStream, documentation: &TokenStream) -> TokenStream {
    let name = &item.ident;
    let (declared, used, bounds) = item.generics.split_for_impl();
    let quiet = quiet(&item.attrs);
    quote! {
        #quiet
        impl #declared #private::Choice for #name #used #bounds {
            fn documentation(&self) -> #private::Documentation {
                #documentation
            }
        }

        #quiet
        impl #declared #private::ValueParserFactory for #name #used #bounds {
            type Parser = fn(&::core::primitive::str) -> ::core::result::Result<Self, #private::String>;

            fn value_parser() -> Self::Parser {
                #private::choice_parser()
            }
        }

        #quiet
        impl #declared ::core::fmt::Display for #name #used #bounds {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&#private::shown_choice(self))
            }
        }
    }
}

/// Whether it is a value without a name, which serde cannot write next to the tag.
fn is_bare_value(field: &Field) -> bool {
    field.ident.is_none() && types::is_plain(&field.ty)
}

fn arm(variant: &Variant, private: &TokenStream) -> TokenStream {
    let (name, about) = (&variant.ident, about(&variant.attrs));
    let fields = variant.fields.iter().filter_map(|field| {
        let (name, about) = (field.ident.as_ref()?.to_string(), self::about(&field.attrs));
        let name = name.trim_start_matches("r#");
        Some(quote!((#name, #about)))
    });
    quote!(Self::#name { .. } => #private::Documentation { about: #about, fields: &[#(#fields),*] },)
}

/// Whether an attribute of serde has `tag = "…"`.
fn has_tag(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("serde")).any(|attribute| {
        let mut has_tag = false;
        // stops at arguments that serde rejects
        let _ = attribute.parse_nested_meta(|argument| {
            has_tag |= argument.path.is_ident("tag");
            if argument.input.peek(syn::Token![=]) {
                argument.value()?.parse::<Expr>()?;
            } else if argument.input.peek(syn::token::Paren) {
                let nested;
                syn::parenthesized!(nested in argument.input);
                nested.parse::<TokenStream>()?;
            }
            Ok(())
        });
        has_tag
    })
}

/// Returns the first paragraph of a documentation, without its last period.
fn about(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let paragraph: Vec<String> = lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    paragraph.strip_suffix('.').unwrap_or(&paragraph).to_owned()
}
