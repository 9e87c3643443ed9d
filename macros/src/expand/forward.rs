//! The trait implementations: each method hands on to the user's own, with what it asked for.

use super::paths::qualified;
use crate::hooks::{Hook, HookTrait, Parameter};
use crate::model::{Argument, Block, Written};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, ReturnType};

/// The implementation of one declared trait, with its table of overridden hooks.
pub(crate) fn implementation(block: &Block, declared: &HookTrait, root: &TokenStream) -> TokenStream {
    let (generics, _, bounds) = block.item.generics.split_for_impl();
    let name = &block.item.self_ty;
    let trait_name = declared.name();
    let methods: TokenStream = declared.methods().map(|hook| method(block, &hook, root)).collect();
    let table = table(block, declared, root);
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #root::__private::#trait_name for #name #bounds {
            #table
            #methods
        }
    }
}

fn table(block: &Block, declared: &HookTrait, root: &TokenStream) -> TokenStream {
    let trait_name = declared.name();
    if declared.hooks().next().is_none() {
        return TokenStream::new();
    }
    let table = format_ident!("{trait_name}Table");
    let entries = declared.hooks().filter_map(|hook| {
        let written = block.written(&hook.name().to_string())?;
        let conditions = written.conditions();
        let name = hook.name();
        Some(quote!(#(#conditions)* #name: ::core::option::Option::Some(<Self as #root::__private::#trait_name>::#name),))
    });
    let entries: Vec<TokenStream> = entries.collect();
    quote! {
        const TABLE: #root::__private::#table<Self> = #root::__private::#table { #(#entries)* ..#root::__private::#table::NONE };
    }
}

fn method(block: &Block, hook: &Hook, root: &TokenStream) -> TokenStream {
    match block.written(&hook.name().to_string()) {
        Some(written) if !written.faulty => forward(written, root),
        // a required method whose absence or fault is reported: the rest of the block still compiles
        _ if hook.method.default.is_none() => signature(hook, &[], root, &quote!(::core::unimplemented!())),
        _ => TokenStream::new(),
    }
}

fn forward(written: &Written, root: &TokenStream) -> TokenStream {
    let hook = &written.declared;
    let parameters = hook.parameters();
    let arguments: Vec<TokenStream> =
        written.arguments().iter().filter_map(|argument| taken(argument, &parameters, root)).collect();
    let name = &written.method.sig.ident;
    // the place of the user's name, the hygiene of the generated method, whose `self` it is
    let span = name.span().resolved_at(Span::call_site());
    let call = quote_spanned!(span=> Self::#name(self, #(#arguments),*));
    let asked: Vec<&Ident> = written.arguments().iter().map(|argument| argument.name).collect();
    let method = signature(hook, &asked, root, &returned(written, &call, root));
    let conditions = written.conditions();
    quote!(#(#conditions)* #method)
}

/// The method as it is declared, with `body`. A parameter that the user did not ask for is called `_name`.
fn signature(hook: &Hook, asked: &[&Ident], root: &TokenStream, body: &TokenStream) -> TokenStream {
    let name = hook.name();
    let parameters = hook.parameters().into_iter().map(|Parameter { name, ty }| {
        let ty = qualified(&ty, root);
        let name = if asked.contains(&&name) { declared_name(&name) } else { format_ident!("_{name}") };
        quote!(#name: #ty)
    });
    let output = match &hook.method.sig.output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => {
            let ty = qualified(ty, root);
            quote!(-> #ty)
        }
    };
    quote!(fn #name(&mut self, #(#parameters),*) #output { #body })
}

/// The parameter's name inside the generated method, where it can't clash with a name of the user's macro.
fn declared_name(name: &Ident) -> Ident {
    Ident::new(&name.to_string(), Span::mixed_site())
}

/// One argument, passed through a trait so that a wrong type is reported on the user's type, by our sentence.
fn taken(argument: &Argument<'_>, parameters: &[Parameter], root: &TokenStream) -> Option<TokenStream> {
    let declared = parameters.iter().find(|parameter| parameter.name == *argument.name)?;
    let value = declared_name(argument.name);
    let right = qualified(&declared.ty, root);
    let written = without_lifetimes(argument.ty);
    let span = argument.ty.span();
    let parameter = quote_spanned!(span=> #root::__private::HookParameter<#right>);
    Some(quote_spanned!(span=> <#written as #parameter>::take(#value)))
}

/// A named lifetime of the method is none in the generated one: every lifetime is inferred there.
fn without_lifetimes(ty: &syn::Type) -> syn::Type {
    struct Inferred;
    impl syn::visit_mut::VisitMut for Inferred {
        fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
            if lifetime.ident != "static" {
                lifetime.ident = Ident::new("_", lifetime.ident.span());
            }
        }
    }
    let mut ty = ty.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Inferred, &mut ty);
    ty
}

/// What the user's method returned as what the hook returns.
fn returned(written: &Written, call: &TokenStream, root: &TokenStream) -> TokenStream {
    let Some(right) = written.declared.value() else { return call.clone() };
    let right = qualified(&right, root);
    let output = written.output();
    let span = match &written.method.sig.output {
        ReturnType::Default => written.method.sig.ident.span(),
        ReturnType::Type(_, _) => output.span(),
    };
    let convert = quote_spanned!(span=> <#output as #root::__private::HookReturn<#right>>::into_value);
    if written.returns_result() {
        quote! {
            match #call {
                ::core::result::Result::Ok(value) => ::core::result::Result::Ok(#convert(value)),
                ::core::result::Result::Err(error) => ::core::result::Result::Err(::core::convert::Into::into(error)),
            }
        }
    } else {
        quote!(::core::result::Result::Ok(#convert(#call)))
    }
}
