//! Adds the phase of a context, which the hook decides and users omit.

use crate::check::tokens::may_mention;
use crate::hooks::Parameter;
use crate::model::{Block, argument_name};
use crate::parse::{BlockItem, Unread};
use crate::types::without_reference;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, Pat, Type};

const CONTEXT: &str = "Context";

/// The phase of the context of a training step under automatic optimization.
const STEP: &str = "Step";

/// Returns a use of the name `Context`, which the hooks' parameters have without one: the import of it is not unused.
pub(super) fn use_of_name(block: &Block) -> Option<TokenStream> {
    let types = block.hooks.iter().flat_map(|hook| hook.method.named_parameters()).map(|(_, ty)| without_reference(ty));
    let mut names = types.filter_map(|ty| match ty {
        Type::Path(path) => path.path.get_ident().filter(|name| *name == CONTEXT),
        _ => None,
    });
    names.next().map(|name| {
        quote! {
            const _: () = {
                #[allow(unused_imports)]
                use #name as _;
            };
        }
    })
}

/// Adds the hook's phase to `ctx: &mut Context` in every hook. `public` is the path of the phases, which editors show.
pub(super) fn fill(block: &mut Block, public: &TokenStream, private: &TokenStream) {
    let is_manual = !block.arguments.automatic_optimization;
    for item in block.item.items.iter_mut().filter(|_| is_manual) {
        if let BlockItem::Unread(method) = item {
            fill_helper(method, private);
        }
    }
    for (hook, method) in block.hook_methods() {
        for input in &mut method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = typed.pat.as_ref() else { continue };
            if let Some(parameter) = hook.parameter(&argument_name(pattern)) {
                *typed.ty = at_its_moment(&typed.ty, parameter, is_manual, public, private);
            }
        }
    }
}

/// Gives a method that `training_step` calls for a backward pass or a step the context that can do so.
fn fill_helper(method: &mut Unread, private: &TokenStream) {
    const CALLS: [&str; 3] = ["manual_backward", "manual_step", "no_sync"];
    let is_meant = method.body_and_signature().is_some_and(|(body, _)| may_mention(&body.into(), &CALLS));
    if !is_meant {
        return;
    }
    let tokens = std::mem::take(&mut method.tokens).into_iter().map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let mut filled = Group::new(Delimiter::Parenthesis, with_training_context(group.stream(), private));
            filled.set_span(group.span());
            TokenTree::Group(filled)
        }
        token => token,
    });
    method.tokens = tokens.collect();
}

/// Returns the parameters with `TrainingContext<'_, Self>` in place of `Context` in `&mut Context`.
fn with_training_context(parameters: TokenStream, private: &TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = parameters.into_iter().collect();
    let is = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token.to_string() == text);
    let is_bare = |place: usize| place > 0 && is(place - 1, "mut") && is(place, CONTEXT) && !is(place + 1, "<");
    let filled = tokens.iter().enumerate().map(|(place, token)| match is_bare(place) {
        true => {
            let path = beginning_at(token.span(), private);
            quote_spanned!(token.span()=> #path::TrainingContext<'_, Self>)
        }
        false => token.clone().into(),
    });
    filled.collect()
}

/// Returns the written type with the phase of the parameter, if the user did not write a phase. Only the compiler can resolve the name:
/// a `Context` gets the phase, and a `RunContext` does not have one.
///
/// In `training_step` of a module that is optimized manually, a `Context` becomes the one that has the callbacks.
pub(super) fn at_its_moment(
    written: &Type,
    parameter: Parameter,
    is_manual: bool,
    phases: &TokenStream,
    private: &TokenStream,
) -> Type {
    let mut written = written.clone();
    let Type::Reference(reference) = &mut written else { return written };
    let context = &mut *reference.elem;
    let span = context.span();
    let phase = parameter.phase();
    let is_of_manual_step = is_manual && parameter.is_training_context();
    if phase.is_none() && !parameter.is_training_context() {
        return written;
    }
    if matches!(context, Type::Path(path) if path.path.is_ident(CONTEXT)) {
        // whatever else has the name there, as the trait `anyhow::Context`
        *context = Type::Verbatim(if is_of_manual_step {
            let path = beginning_at(span, private);
            quote_spanned!(span=> #path::TrainingContext<'_, Self>)
        } else {
            let (name, phase) = (Ident::new(CONTEXT, span), format_ident!("{}", phase.unwrap_or(STEP)));
            let (path, end) = (beginning_at(span, phases), quote_spanned!(span=> >));
            quote!(#path::#name<#phases::#phase #end)
        });
        return written;
    }
    let at = if is_of_manual_step {
        quote_spanned!(span=> #private::ContextOfManualStep<'_, Self>)
    } else {
        let phase = Ident::new(phase.unwrap_or(STEP), span);
        quote_spanned!(span=> #private::ContextAt<#private::#phase>)
    };
    match context {
        Type::Path(path) => {
            let is_bare = path.path.segments.last().is_some_and(|last| last.arguments.is_empty());
            // a phase that was written is compared with the hook's
            if !is_bare && !is_of_manual_step {
                return written;
            }
        }
        Type::Macro(_) => {}
        _ => return written,
    }
    *context = Type::Verbatim(quote_spanned!(span=> <#context as #at>::Context));
    written
}

/// Returns a path whose first token has this location: errors of rustc about the type are then at the user's.
fn beginning_at(span: Span, path: &TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = path.clone().into_iter().collect();
    if let Some(first) = tokens.first_mut() {
        first.set_span(span.resolved_at(Span::call_site()));
    }
    tokens.into_iter().collect()
}
