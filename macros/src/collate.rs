//! `#[derive(Collate)]`: joins the samples of a struct field by field, into the struct that `#[collate(batch = …)]` names.

use crate::batch::{at, derived};
use crate::catalogue;
use crate::expand::quiet;
use crate::source_file::SourceFile;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Ident, Index, Member, Meta, MetaNameValue, Path, Token};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    derived("collate", item, implementation, fallback)
}

/// Returns an implementation that compiles, so that one mistake causes no further errors where the type is used.
fn fallback(item: &DeriveInput, private: &TokenStream) -> TokenStream {
    let batch = meant_batch(item).map_or_else(|| quote!(()), |batch| quote!(#batch));
    written(item, private, &batch, &quote!(::core::unimplemented!()))
}

/// Returns the struct that is meant as the batch: the one that the attribute names in another form, or that has the same fields.
fn meant_batch(item: &DeriveInput) -> Option<Ident> {
    let attributes = item.attrs.iter().filter(|attribute| attribute.path().is_ident("collate"));
    let named = attributes.filter_map(|attribute| attribute.meta.require_list().ok()).find_map(|list| {
        let words = list.tokens.clone().into_iter().flat_map(|token| match token {
            TokenTree::Literal(text) => text.to_string().trim_matches('"').parse().unwrap_or_default(),
            token => TokenStream::from(token),
        });
        let names = words.filter_map(|word| if let TokenTree::Ident(name) = word { Some(name) } else { None });
        names.into_iter().find(|name| name.to_string().starts_with(char::is_uppercase))
    });
    named.or_else(|| SourceFile::of(Span::call_site())?.batch_of_samples(item))
}

/// `private` is the path of the runtime's private module.
pub(crate) fn implementation(item: &DeriveInput, private: &TokenStream) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new_spanned(&item.ident, catalogue::sample_of_several_forms()));
    };
    let batch = match batch(item) {
        Some(Some(batch)) => batch,
        // the mistake in the attribute has been reported
        Some(None) => return Ok(fallback(item, private)),
        None => {
            let batch = meant_batch(item).map_or_else(|| "Rows".to_owned(), |batch| batch.to_string());
            return Err(syn::Error::new_spanned(&item.ident, catalogue::sample_without_batch(batch)));
        }
    };
    let is_ours = |attribute: &&Attribute| attribute.path().is_ident("collate");
    if let Some(attribute) = data.fields.iter().find_map(|field| field.attrs.iter().find(is_ours)) {
        return Err(syn::Error::new_spanned(attribute, catalogue::attribute_of_sample_field()));
    }
    let columns: Vec<Column<'_>> =
        data.fields.iter().enumerate().map(|(number, field)| column(number, field)).collect();
    let names = || columns.iter().map(|column| &column.name);
    let (all, pushed) = (names(), names());
    let pattern = columns.iter().map(|Column { member, value, .. }| quote!(#member: #value));
    let values = columns.iter().map(|column| &column.value);
    let joins = columns.iter().map(|column| join(column, private));
    let joined = columns.iter().map(|Column { member, joined, .. }| quote!(#member: #joined));
    let body = quote! {
        let count = samples.len();
        #(let mut #all = #private::Vec::with_capacity(count);)*
        for sample in samples {
            let Self { #(#pattern),* } = sample;
            #(#pushed.push(#values);)*
        }
        #(#joins)*
        ::core::result::Result::Ok(#batch { #(#joined),* })
    };
    Ok(written(item, private, &quote!(#batch), &body))
}

/// Returns the path in `#[collate(batch = Rows)]`: `None` without an argument, `Some(None)` if there is something else.
fn batch(item: &DeriveInput) -> Option<Option<Path>> {
    item.attrs.iter().filter(|attribute| attribute.path().is_ident("collate")).find_map(|attribute| {
        let Ok(arguments) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
            return Some(None);
        };
        let argument = arguments.into_iter().find(|argument| !argument.path().is_ident("crate"))?;
        Some(match argument {
            Meta::NameValue(MetaNameValue { value: Expr::Path(batch), path, .. }) if path.is_ident("batch") => {
                Some(batch.path)
            }
            _ => None,
        })
    })
}

/// A field, and the variables of its values.
struct Column<'a> {
    field: &'a Field,
    member: Member,
    /// The list of the values of all samples.
    name: Ident,
    /// The value of one sample.
    value: Ident,
    /// The field of the batch, with the place of the field's type, where a batch with another type is reported.
    joined: Ident,
}

fn column(number: usize, field: &Field) -> Column<'_> {
    let member = field.ident.clone().map_or_else(|| Index::from(number).into(), Member::from);
    let [name, value, mut joined] = ["column", "value", "joined"].map(|of| format_ident!("{of}_{number}"));
    joined.set_span(field.ty.span().resolved_at(Span::call_site()));
    Column { field, member, name, value, joined }
}

/// Joins the values of a field, with the place of its type, where a type that is not a sample is reported once.
fn join(Column { field, member, name, joined, .. }: &Column<'_>, private: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    let text = match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    let join = quote!(<#ty as #private::Collate>::collate(#name));
    at(ty.span(), &quote!(let #joined = #join.map_err(|error| #private::error_of_field(#text, error))?;))
}

/// The implementation, with the type of the batch and the body of `collate`.
fn written(item: &DeriveInput, private: &TokenStream, batch: &TokenStream, body: &TokenStream) -> TokenStream {
    let name = &item.ident;
    let (declared, used, bounds) = item.generics.split_for_impl();
    let quiet = quiet(&item.attrs);
    quote! {
        #quiet
        impl #declared #private::Collate for #name #used #bounds {
            type Batch = #batch;

            fn collate(
                samples: #private::Vec<Self>,
            ) -> ::core::result::Result<Self::Batch, #private::TchError> {
                #body
            }
        }
    }
}
