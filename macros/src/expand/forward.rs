//! The trait implementations: each method forwards to the user's own, with the parameters that it takes.

use super::callback::Watched;
use super::conditions::condition;
use super::paths::{Names, is_built_in};
use super::phases::at_its_moment;
use super::{although_deprecated, batches, quiet};
use crate::hooks::{self, Hook, HookTrait, Role};
use crate::model::{Argument, Block, Written};
use crate::types::without_lifetimes;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type};

/// The implementation of one declared trait, with its table of overridden hooks.
pub(super) fn implementation(block: &Block, declared: HookTrait, names: &Names<'_>) -> TokenStream {
    let private = names.private;
    let trait_name = format_ident!("{}", declared.name());
    if block.role == Role::Callback {
        let watched = Watched::by(block, private).into_iter();
        return watched
            .map(|(condition, Watched { module, generics })| {
                let names = Names::new(private, Some(&module), names.batch);
                let implementation =
                    written(block, declared, &generics, &quote!(#trait_name<#module>), TokenStream::new(), &names);
                quote!(#condition #implementation)
            })
            .collect();
    }
    let table = table(block, declared, private);
    written(block, declared, &block.generics(), &trait_name.into_token_stream(), table, names)
}

/// The implementation of `implemented`, which is the declared trait with its arguments.
fn written(
    block: &Block,
    declared: HookTrait,
    generics: &Generics,
    implemented: &TokenStream,
    table: TokenStream,
    names: &Names<'_>,
) -> TokenStream {
    let (generics, _, bounds) = generics.split_for_impl();
    let head = &block.item.head;
    let (name, private, quiet) = (&head.self_ty, names.private, quiet(&head.attrs));
    let methods: TokenStream = declared.methods().map(|hook| methods(block, hook, names)).collect();
    quote! {
        #quiet
        impl #generics #private::#implemented for #name #bounds {
            #table
            #methods
        }
    }
}

fn table(block: &Block, declared: HookTrait, private: &TokenStream) -> TokenStream {
    let trait_name = format_ident!("{}", declared.name());
    if declared.hooks().next().is_none() {
        return TokenStream::new();
    }
    let table = format_ident!("{trait_name}Table");
    let (mut entries, mut locations) = (TokenStream::new(), TokenStream::new());
    for hook in declared.hooks() {
        let name = hook.ident();
        for written in block.written(hook.name()) {
            let condition = condition(&written.method);
            entries.extend(quote! {
                #condition
                #name: ::core::option::Option::Some(<Self as #private::#trait_name>::#name),
            });
            locations.extend(location(hook, &condition, written, private));
        }
    }
    let table = quote!(#private::#table);
    let value = if entries.is_empty() { quote!(#table::NONE) } else { quote!(#table { #entries ..#table::NONE }) };
    let locations =
        (!locations.is_empty()).then(|| quote!(const LOCATIONS: &'static [#private::SourceLocation] = &[#locations];));
    let manual = (trait_name == "LightningModule" && !block.arguments.automatic_optimization).then(|| {
        quote!(
            const AUTOMATIC_OPTIMIZATION: bool = false;
        )
    });
    quote!(const TABLE: #table<Self> = #value; #locations #manual)
}

/// The location of a hook: the file and the line of its name.
fn location(hook: Hook, condition: &Option<TokenStream>, written: &Written, private: &TokenStream) -> TokenStream {
    let variant = hook.variant();
    // not at the name itself, of which editors show everything that is generated there
    let line = quote_spanned!(written.method.sig.paren_token.span.open()=> ::core::line!());
    quote! {
        #condition
        #private::SourceLocation::new(#private::Hook::#variant, ::core::file!(), #line),
    }
}

/// Returns the trait's method; several if the hook has several forms, each with a `#[cfg]`.
fn methods(block: &Block, hook: Hook, names: &Names<'_>) -> TokenStream {
    let mut written = block.written(hook.name()).filter(|written| !written.faulty).peekable();
    if written.peek().is_none() && !hook.has_default() {
        // its absence or fault is reported: the rest of the block still compiles
        return signature(hook, &[], names, &quote!(::core::unimplemented!()));
    }
    written.map(|written| forward(block, written, hook, names)).collect()
}

fn forward(block: &Block, written: &Written, hook: Hook, names: &Names<'_>) -> TokenStream {
    let asked = written.method.arguments();
    let arguments = asked.iter().filter_map(|argument| {
        batches::taken(block, written, argument, names).or_else(|| taken(block, argument, hook, names))
    });
    let name = &written.method.sig.ident;
    // next to the user's name, with the hygiene of the generated method, as its `self` is used
    let span = written.method.sig.paren_token.span.open().resolved_at(Span::call_site());
    let call = quote_spanned!(span=> Self::#name(self, #(#arguments),*));
    let asked: Vec<&str> = asked.iter().map(|argument| argument.name.as_str()).collect();
    let method = signature(hook, &asked, names, &returned(block, written, hook, &call, names));
    let condition = condition(&written.method);
    let although_deprecated = although_deprecated(&written.method.attrs);
    quote!(#condition #although_deprecated #method)
}

/// Returns the declared method with `body`. Parameters that the user's method does not take are named `_name`.
fn signature(hook: Hook, asked: &[&str], names: &Names<'_>, body: &TokenStream) -> TokenStream {
    let name = hook.ident();
    let parameters = hook.parameters().map(|parameter| {
        let ty = names.qualified(parameter.declared);
        let is_asked = asked.contains(&parameter.name);
        let name = if is_asked { parameter.ident() } else { format_ident!("_{}", parameter.name) };
        quote!(#name: #ty)
    });
    let output = hook.output().map(|output| {
        let output = names.qualified(output);
        quote!(-> #output)
    });
    let mutable = hook.takes_self_mutably().then(|| quote!(mut));
    quote!(fn #name(&#mutable self, #(#parameters),*) #output { #body })
}

/// One argument, passed through a trait so that a wrong type is reported on the user's type, by our sentence.
fn taken(block: &Block, argument: &Argument<'_>, hook: Hook, names: &Names<'_>) -> Option<TokenStream> {
    let parameter = hook.parameter(&argument.name)?;
    let (name, private) = (parameter.ident(), names.private);
    let is_manual = !block.arguments.automatic_optimization;
    let written = at_its_moment(&without_lifetimes(argument.ty), parameter, is_manual, private, private);
    // automatic optimization needs no more of it than the context that it dereferences to
    let (declared, name) = match parameter.is_training_context() && !is_manual {
        true => ("&mut Context<Step>", quote!(&mut **#name)),
        false => (parameter.declared, name.to_token_stream()),
    };
    if is_built_in(declared) && written.to_token_stream().to_string() == declared {
        return Some(name);
    }
    let declared = names.qualified(declared);
    let span = written.span();
    let of_step = |(_, step)| parameter.is_output_of(step);
    let conversion = if hooks::steps().any(of_step) { "HookOutputs" } else { "HookParameter" };
    let conversion = Ident::new(conversion, span);
    let parameter = quote_spanned!(span=> #private::#conversion<#declared>);
    Some(quote_spanned!(span=> <#written as #parameter>::take(#name)))
}

/// Returns the call of a step's method. A `Result` under another name is an error, not the step's output.
fn checked(call: &TokenStream, output: &Type, returns_result: bool, private: &TokenStream) -> TokenStream {
    // other forms of a type are not aliases
    if returns_result || !matches!(output, Type::Path(_) | Type::Macro(_)) {
        return call.clone();
    }
    let import = quote!(use #private::{Output as _, Returned as __Returned};);
    quote_spanned! {output.span()=> {
        #import
        let __returned = #call;
        __Returned(__returned).output()
    }}
}

/// The trait of the types that a hook with this value may return, where the error has a sentence of its own.
fn conversion(declared: &str) -> Option<&'static str> {
    match declared {
        "Optimizers" => Some("ReturnedOptimizers"),
        "Flow" => Some("ReturnedFlow"),
        "Value" => Some("ReturnedState"),
        _ => None,
    }
}

/// Converts the value of the user's method to that of the hook.
fn returned(block: &Block, written: &Written, hook: Hook, call: &TokenStream, names: &Names<'_>) -> TokenStream {
    let (method, private) = (&written.method, names.private);
    let Some(declared) = hook.value() else { return call.clone() };
    let output = method.output();
    // a step returns what it likes
    let as_written = || output.to_token_stream().to_string() == declared;
    // a value with the loss must satisfy further bounds
    let call = if hook.step().is_some_and(|step| !step.has_loss) {
        checked(call, &output, method.returns_result(), private)
    } else {
        call.clone()
    };
    let as_declared = hook.is_step() || (is_built_in(declared) && as_written());
    let convert = batches::loaded(block, written, declared, names).unwrap_or_else(|| {
        if declared.contains("dyn Callback") {
            // any collection of callbacks: what kind of one is inferred
            return quote_spanned!(output.span()=> <#output as #private::IntoCallbacks<Self, _>>::into_callbacks);
        }
        if let Some(own) = conversion(declared) {
            let own = Ident::new(own, output.span());
            return quote_spanned!(output.span()=> <#output as #private::#own>::into_value);
        }
        let declared = names.qualified(declared);
        quote_spanned!(output.span()=> <#output as #private::HookReturn<#declared>>::into_value)
    });
    let into_error = quote_spanned!(method.error_span()=> <_ as #private::HookFailure<_>>::into_error);
    match (as_declared, method.returns_result()) {
        (true, false) => quote!(::core::result::Result::Ok(#call)),
        (false, false) => quote!(::core::result::Result::Ok(#convert(#call))),
        (true, true) => quote_spanned!(method.error_span()=> ::core::result::Result::map_err(#call, #into_error)),
        (false, true) => quote! {
            match #call {
                ::core::result::Result::Ok(__value) => ::core::result::Result::Ok(#convert(__value)),
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(#into_error(__error)),
            }
        },
    }
}
