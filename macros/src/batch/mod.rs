//! `#[derive(Batch)]`: maps and visits the tensors of every field, and compares them with their contract.

mod attribute;
mod bounds;

pub(crate) use attribute::at;
use attribute::{Contract, FieldAttribute};

use crate::arguments::Arguments;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::erase_lifetimes::ErasedLifetimes;
use crate::expand::{although_deprecated, crate_root, private_module, quiet};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Index, ItemImpl, Member, Meta, Type};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    derived("batch", item, implementation, fallback)
}

/// Returns what a derive with the attribute `name` writes: `implementation`, or an error with `fallback`.
pub(crate) fn derived(
    name: &str,
    item: TokenStream,
    implementation: impl FnOnce(&DeriveInput, &TokenStream) -> syn::Result<TokenStream>,
    fallback: impl FnOnce(&DeriveInput, &TokenStream) -> TokenStream,
) -> TokenStream {
    let item = match syn::parse2::<DeriveInput>(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::new();
    let private = private_module(&root(name, &item, &mut diagnostics));
    let diagnostics = diagnostics.into_compile_errors();
    let implementation = implementation(&item, &private).unwrap_or_else(|error| {
        let (error, fallback) = (error.to_compile_error(), fallback(&item, &private));
        quote!(#error #fallback)
    });
    quote!(#implementation #diagnostics)
}

/// The path of the runtime crate: that of an attribute such as `#[batch(crate = "…")]`, or where the manifest has it.
fn root(name: &str, item: &DeriveInput, diagnostics: &mut Diagnostics) -> TokenStream {
    let mut given = None;
    for attribute in item.attrs.iter().filter(|attribute| attribute.path().is_ident(name)) {
        match &attribute.meta {
            Meta::List(list) if name == "batch" && syn::parse2::<FieldAttribute>(list.tokens.clone()).is_ok() => {
                diagnostics.add(attribute, catalogue::misplaced_contract("a type"));
            }
            Meta::List(list) => given = Arguments::of_derive(name, &list.tokens, diagnostics).root.or(given),
            Meta::Path(_) | Meta::NameValue(_) => {
                diagnostics.add(attribute, catalogue::attribute_without_arguments(name));
            }
        }
    }
    given.unwrap_or_else(crate_root)
}

/// Returns an implementation that compiles, so that one mistake causes no further errors where the type is used.
fn fallback(item: &DeriveInput, private: &TokenStream) -> TokenStream {
    let name = &item.ident;
    let generics = bounds::owned(item);
    let (declared, used, bounds) = generics.split_for_impl();
    let (tensor, error) = (quote!(#private::Tensor), quote!(#private::TchError));
    let unimplemented = quote!({ ::core::unimplemented!() });
    let written = quote! {
        impl #declared #private::Batch for #name #used #bounds {
            fn map_tensors(
                self,
                _: &mut dyn ::core::ops::FnMut(#tensor) -> ::core::result::Result<#tensor, #error>,
            ) -> ::core::result::Result<Self, #error> #unimplemented

            fn visit_tensors(&self, _: &mut dyn ::core::ops::FnMut(&#tensor)) #unimplemented
        }
    };
    match syn::parse2::<ItemImpl>(written) {
        Ok(mut implementation) => {
            ErasedLifetimes::of(&mut implementation.generics).visit_type_mut(&mut implementation.self_ty);
            implementation.into_token_stream()
        }
        Err(_) => TokenStream::new(),
    }
}

/// A struct, or one variant of an enum.
struct Shape<'a> {
    path: TokenStream,
    fields: Vec<Field<'a>>,
}

struct Field<'a> {
    member: Member,
    /// The variable that holds it.
    name: Ident,
    ty: &'a Type,
    /// Whether it is passed on unchanged.
    skips: bool,
    contract: Option<Contract>,
}

/// `private` is the path of the runtime's private module.
pub(crate) fn implementation(item: &DeriveInput, private: &TokenStream) -> syn::Result<TokenStream> {
    if let Some(lifetime) = item.generics.lifetimes().next() {
        return Err(syn::Error::new_spanned(lifetime, catalogue::borrowing_batch()));
    }
    let shapes = shapes(item)?;
    let name = &item.ident;
    let visited = shapes.iter().flat_map(|shape| shape.visited()).map(|field| field.ty);
    let generics = bounds::of(item, visited, private);
    let (declared, used, bounds) = generics.split_for_impl();
    let maps = shapes.iter().map(|shape| map(shape, private));
    let visits = shapes.iter().map(|shape| visit(shape, private));
    let check_contract = check_contract(&shapes, private);
    let (tensor, error) = (quote!(#private::Tensor), quote!(#private::TchError));
    let although_deprecated = item_attributes(item).find_map(|attributes| although_deprecated(attributes));
    let quiet = quiet(&item.attrs);
    Ok(quote! {
        #quiet
        #although_deprecated
        impl #declared #private::Batch for #name #used #bounds {
            fn map_tensors(
                self,
                map: &mut dyn ::core::ops::FnMut(#tensor) -> ::core::result::Result<#tensor, #error>,
            ) -> ::core::result::Result<Self, #error> {
                ::core::result::Result::Ok(match self { #(#maps)* })
            }

            fn visit_tensors(&self, visit: &mut dyn ::core::ops::FnMut(&#tensor)) {
                match self { #(#visits)* }
            }

            #check_contract
        }
    })
}

/// The attributes of the type, of its variants and of its fields.
fn item_attributes(item: &DeriveInput) -> impl Iterator<Item = &Vec<Attribute>> {
    let (fields, variants): (Vec<&Fields>, Vec<&Vec<Attribute>>) = match &item.data {
        Data::Struct(data) => (vec![&data.fields], Vec::new()),
        Data::Enum(data) => data.variants.iter().map(|variant| (&variant.fields, &variant.attrs)).unzip(),
        Data::Union(_) => (Vec::new(), Vec::new()),
    };
    let fields = fields.into_iter().flatten().map(|field| &field.attrs);
    std::iter::once(&item.attrs).chain(variants).chain(fields)
}

fn shapes(item: &DeriveInput) -> syn::Result<Vec<Shape<'_>>> {
    match &item.data {
        Data::Struct(data) => Ok(vec![Shape { path: quote!(Self), fields: fields(&data.fields)? }]),
        Data::Enum(data) if data.variants.is_empty() => {
            Err(syn::Error::new_spanned(&item.ident, catalogue::empty_batch()))
        }
        Data::Enum(data) => {
            let shapes = data.variants.iter().map(|variant| {
                let name = &variant.ident;
                if let Some(attribute) = attribute::of_batch(&variant.attrs).next() {
                    return Err(syn::Error::new_spanned(attribute, catalogue::misplaced_contract("a variant")));
                }
                Ok(Shape { path: quote!(Self::#name), fields: fields(&variant.fields)? })
            });
            all(shapes)
        }
        Data::Union(_) => Err(syn::Error::new_spanned(&item.ident, catalogue::union_batch())),
    }
}

fn fields(fields: &Fields) -> syn::Result<Vec<Field<'_>>> {
    let fields = fields.iter().enumerate().map(|(number, field)| {
        let member = field.ident.clone().map_or_else(|| Index::from(number).into(), Member::from);
        let FieldAttribute { skips, contract } = FieldAttribute::read(field)?;
        Ok(Field { member, name: format_ident!("field_{number}"), ty: &field.ty, skips, contract })
    });
    all(fields)
}

/// Returns all values, or all errors as one.
fn all<T>(results: impl Iterator<Item = syn::Result<T>>) -> syn::Result<Vec<T>> {
    let (mut values, mut errors) = (Vec::new(), None::<syn::Error>);
    for result in results {
        match (result, &mut errors) {
            (Ok(value), _) => values.push(value),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), None) => errors = Some(error),
        }
    }
    errors.map_or(Ok(values), Err)
}

impl Shape<'_> {
    /// The pattern that takes it apart.
    fn pattern(&self) -> TokenStream {
        let path = &self.path;
        let fields = self.fields.iter().map(|Field { member, name, .. }| quote!(#member: #name));
        quote!(#path { #(#fields),* })
    }

    /// The pattern with the fields that are visited.
    fn visited_pattern(&self) -> TokenStream {
        let path = &self.path;
        let fields = self.visited().map(|Field { member, name, .. }| quote!(#member: #name));
        let rest = self.fields.iter().any(|field| field.skips).then(|| quote!(, ..));
        quote!(#path { #(#fields),* #rest })
    }

    fn visited(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| !field.skips)
    }
}

fn map(shape: &Shape<'_>, private: &TokenStream) -> TokenStream {
    let (pattern, path) = (shape.pattern(), &shape.path);
    let mapped = shape.fields.iter().map(|field| {
        let (Field { member, name, .. }, method) = (field, method(field, "map_tensors", private));
        if field.skips { quote!(#member: #name) } else { quote!(#member: #method(#name, map)?) }
    });
    quote!(#pattern => #path { #(#mapped),* },)
}

fn visit(shape: &Shape<'_>, private: &TokenStream) -> TokenStream {
    let pattern = shape.visited_pattern();
    let visited = shape.visited().map(|field| {
        let (name, method) = (&field.name, method(field, "visit_tensors", private));
        quote!(#method(#name, visit);)
    });
    quote!(#pattern => { #(#visited)* })
}

/// The method that compares the fields with their contracts, and those within them with theirs.
fn check_contract(shapes: &[Shape<'_>], private: &TokenStream) -> TokenStream {
    let has_contract = shapes.iter().flat_map(|shape| &shape.fields).any(|field| field.contract.is_some());
    let sizes = has_contract.then(|| quote!(let mut sizes = <#private::Sizes as ::core::default::Default>::default();));
    let checks = shapes.iter().map(|shape| {
        let pattern = shape.visited_pattern();
        let checked = shape.visited().map(|field| check(field, private));
        quote!(#pattern => { #(#checked)* })
    });
    quote! {
        fn check_contract(&self) -> ::core::result::Result<(), #private::ContractViolation> {
            #sizes
            match self { #(#checks)* }
            ::core::result::Result::Ok(())
        }
    }
}

fn check(field: &Field<'_>, private: &TokenStream) -> TokenStream {
    let name = &field.name;
    let member = match &field.member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    match &field.contract {
        Some(contract) => {
            let contract = contract.expand(private);
            quote!(sizes.check(#member, #name, &#contract)?;)
        }
        None => {
            let method = method(field, "check_contract", private);
            quote!(#method(#name).map_err(|violation| violation.within(#member))?;)
        }
    }
}

/// A method of the field's type. If that is not a batch, both methods are errors at one location, which rustc reports once.
fn method(field: &Field<'_>, name: &str, private: &TokenStream) -> TokenStream {
    let (ty, span) = (field.ty, field.ty.span());
    let name = Ident::new(name, span);
    quote_spanned!(span=> <#ty as #private::Batch>::#name)
}
