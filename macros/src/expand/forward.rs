//! The trait implementations: each method hands on to the user's own, with what it asked for.

use super::callback::Watched;
use super::paths::{is_built_in, qualified};
use super::phases::at_its_moment;
use super::{batches, condition};
use crate::hooks::{Hook, HookTrait, Parameter};
use crate::model::{Argument, Block, Written};
use crate::types::without_lifetimes;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ReturnType;
use syn::spanned::Spanned;

/// The implementation of one declared trait, with its table of overridden hooks.
pub(crate) fn implementation(block: &Block, declared: &HookTrait, root: &TokenStream) -> TokenStream {
    let watched = Watched::by(block, root);
    let generics = watched.as_ref().map_or_else(|| block.generics(), |watched| watched.generics.clone());
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    let trait_name = declared.name();
    let arguments = watched.as_ref().map(|Watched { module, .. }| quote!(<#module>));
    let table = if watched.is_some() { TokenStream::new() } else { table(block, declared, root) };
    let hooks =
        declared.methods().map(|hook| watched.as_ref().map_or(hook.clone(), |watched| watched.hook(&hook, root)));
    let methods: TokenStream = hooks.map(|hook| methods(block, &hook, root)).collect();
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #generics #root::__private::#trait_name #arguments for #name #bounds {
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
    let (mut entries, mut places) = (TokenStream::new(), TokenStream::new());
    for hook in declared.hooks() {
        let name = hook.name();
        for written in block.written(&name.to_string()) {
            let condition = condition(&written.method);
            entries.extend(quote! {
                #condition
                #name: ::core::option::Option::Some(<Self as #root::__private::#trait_name>::#name),
            });
            places.extend(place(&hook, &condition, written, root));
        }
    }
    let table = quote!(#root::__private::#table);
    let value = if entries.is_empty() { quote!(#table::NONE) } else { quote!(#table { #entries ..#table::NONE }) };
    let places = (!places.is_empty()).then(|| quote!(const PLACES: &'static [#root::__private::Place] = &[#places];));
    let manual = (trait_name == "LightningModule" && !block.arguments.automatic_optimization).then(|| {
        quote!(
            const AUTOMATIC_OPTIMIZATION: bool = false;
        )
    });
    quote!(const TABLE: #table<Self> = #value; #places #manual)
}

/// The place of a hook: the file and the line of its name.
fn place(hook: &Hook, condition: &Option<TokenStream>, written: &Written, root: &TokenStream) -> TokenStream {
    let variant = hook.variant();
    let line = quote_spanned!(written.method.sig.ident.span()=> ::core::line!());
    quote! {
        #condition
        #root::__private::Place::new(#root::__private::Hook::#variant, ::core::file!(), #line),
    }
}

/// The trait's method: several where each form of the hook has a `#[cfg]` of its own.
fn methods(block: &Block, hook: &Hook, root: &TokenStream) -> TokenStream {
    let name = hook.name().to_string();
    let mut written = block.written(&name).filter(|written| !written.faulty).peekable();
    if written.peek().is_none() && hook.method.default.is_none() {
        // its absence or fault is reported: the rest of the block still compiles
        return signature(hook, &[], root, &quote!(::core::unimplemented!()));
    }
    written.map(|written| forward(block, written, hook, root)).collect()
}

fn forward(block: &Block, written: &Written, hook: &Hook, root: &TokenStream) -> TokenStream {
    let parameters = hook.parameters();
    let asked = written.method.arguments();
    let arguments = asked.iter().filter_map(|argument| {
        batches::taken(block, written, argument, root).or_else(|| taken(argument, &parameters, root))
    });
    let name = &written.method.sig.ident;
    // the place of the user's name, the hygiene of the generated method, whose `self` it is
    let span = name.span().resolved_at(Span::call_site());
    let call = quote_spanned!(span=> Self::#name(self, #(#arguments),*));
    let names: Vec<&str> = asked.iter().map(|argument| argument.name.as_str()).collect();
    let method = signature(hook, &names, root, &returned(block, written, hook, &call, root));
    let condition = condition(&written.method);
    quote!(#condition #method)
}

/// The method as it is declared, with `body`. A parameter that the user did not ask for is called `_name`.
fn signature(hook: &Hook, asked: &[&str], root: &TokenStream, body: &TokenStream) -> TokenStream {
    let name = hook.name();
    let parameters = hook.parameters().into_iter().map(|Parameter { name, declared, .. }| {
        let ty = qualified(&declared, root);
        let name = if asked.iter().any(|asked| name == asked) { name } else { format_ident!("_{name}") };
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

/// One argument, passed through a trait so that a wrong type is reported on the user's type, by our sentence.
fn taken(argument: &Argument<'_>, parameters: &[Parameter], root: &TokenStream) -> Option<TokenStream> {
    let parameter = parameters.iter().find(|parameter| parameter.name == argument.name)?;
    let Parameter { name, declared, .. } = parameter;
    let written = at_its_moment(&without_lifetimes(argument.ty), parameter, root);
    if is_built_in(declared) && *declared == written {
        return Some(name.to_token_stream());
    }
    let declared = qualified(declared, root);
    let span = written.span();
    let parameter = quote_spanned!(span=> #root::__private::HookParameter<#declared>);
    Some(quote_spanned!(span=> <#written as #parameter>::take(#name)))
}

/// What the user's method returned as what the hook returns.
fn returned(block: &Block, written: &Written, hook: &Hook, call: &TokenStream, root: &TokenStream) -> TokenStream {
    let method = &written.method;
    let Some(declared) = hook.value() else { return call.clone() };
    let output = method.output();
    // a step returns what it likes
    let as_declared = written.is_step() || (is_built_in(&declared) && declared == output);
    let convert = batches::loaded(block, written, &declared, root).unwrap_or_else(|| {
        let declared = qualified(&declared, root);
        quote_spanned!(output.span()=> <#output as #root::__private::HookReturn<#declared>>::into_value)
    });
    let into_error = quote_spanned!(method.error_span()=> <_ as #root::__private::HookFailure>::into_error);
    match (as_declared, method.returns_result()) {
        (true, false) => quote!(::core::result::Result::Ok(#call)),
        (false, false) => quote!(::core::result::Result::Ok(#convert(#call))),
        (true, true) => quote_spanned!(method.error_span()=> ::core::result::Result::map_err(#call, #into_error)),
        (false, true) => quote! {
            match #call {
                ::core::result::Result::Ok(value) => ::core::result::Result::Ok(#convert(value)),
                ::core::result::Result::Err(error) => ::core::result::Result::Err(#into_error(error)),
            }
        },
    }
}
