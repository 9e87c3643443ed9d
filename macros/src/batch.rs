//! `#[derive(Batch)]`: maps and visits the tensors of every field.

use crate::expand::crate_root;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Index, Member, Type, parse_quote};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    match syn::parse2::<DeriveInput>(item) {
        Ok(item) => implementation(&item).unwrap_or_else(|error| error.to_compile_error()),
        Err(error) => error.to_compile_error(),
    }
}

/// A struct, or one variant of an enum.
struct Shape<'a> {
    path: TokenStream,
    fields: Vec<(Member, Ident, &'a Type)>,
}

fn implementation(item: &DeriveInput) -> syn::Result<TokenStream> {
    let root = crate_root();
    let shapes = shapes(item)?;
    let name = &item.ident;
    let mut generics = item.generics.clone();
    for parameter in item.generics.type_params() {
        let parameter = &parameter.ident;
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: #root::data::Batch));
    }
    let (declared, used, bounds) = generics.split_for_impl();
    let maps = shapes.iter().map(|shape| map(shape, &root));
    let visits = shapes.iter().map(|shape| visit(shape, &root));
    Ok(quote! {
        #[automatically_derived]
        impl #declared #root::data::Batch for #name #used #bounds {
            fn map_tensors(
                self,
                map: &mut dyn ::core::ops::FnMut(#root::__private::Tensor) -> ::core::result::Result<#root::__private::Tensor, #root::__private::TchError>,
            ) -> ::core::result::Result<Self, #root::__private::TchError> {
                ::core::result::Result::Ok(match self { #(#maps)* })
            }

            fn visit_tensors(&self, visit: &mut dyn ::core::ops::FnMut(&#root::__private::Tensor)) {
                match self { #(#visits)* }
            }
        }
    })
}

fn shapes(item: &DeriveInput) -> syn::Result<Vec<Shape<'_>>> {
    match &item.data {
        Data::Struct(data) => Ok(vec![Shape { path: quote!(Self), fields: fields(&data.fields) }]),
        Data::Enum(data) if data.variants.is_empty() => {
            Err(syn::Error::new_spanned(&item.ident, "an enum without variants has no value, so it can't be a batch"))
        }
        Data::Enum(data) => Ok(data
            .variants
            .iter()
            .map(|variant| {
                let name = &variant.ident;
                Shape { path: quote!(Self::#name), fields: fields(&variant.fields) }
            })
            .collect()),
        Data::Union(_) => Err(syn::Error::new_spanned(
            &item.ident,
            "a union can't be a batch: nobody knows which of its fields holds",
        )),
    }
}

fn fields(fields: &Fields) -> Vec<(Member, Ident, &Type)> {
    let numbered = fields.iter().enumerate();
    numbered
        .map(|(number, field)| {
            let member = match &field.ident {
                Some(name) => Member::Named(name.clone()),
                None => Member::Unnamed(Index::from(number)),
            };
            (member, format_ident!("field_{number}"), &field.ty)
        })
        .collect()
}

fn map(shape: &Shape<'_>, root: &TokenStream) -> TokenStream {
    let path = &shape.path;
    let (members, names): (Vec<_>, Vec<_>) = shape.fields.iter().map(|(member, name, _)| (member, name)).unzip();
    let mapped = shape.fields.iter().map(|(member, name, ty)| {
        let method = quote_spanned!(ty.span()=> #root::data::Batch>::map_tensors);
        quote!(#member: <#ty as #method(#name, map)?)
    });
    quote!(#path { #(#members: #names),* } => #path { #(#mapped),* },)
}

fn visit(shape: &Shape<'_>, root: &TokenStream) -> TokenStream {
    let path = &shape.path;
    let (members, names): (Vec<_>, Vec<_>) = shape.fields.iter().map(|(member, name, _)| (member, name)).unzip();
    quote!(#path { #(#members: #names),* } => { #(#root::data::Batch::visit_tensors(#names, visit);)* })
}
