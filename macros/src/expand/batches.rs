//! The batch of a hook whose type is written otherwise than in the hook that decides it.
//!
//! The two may be one type under two names, which only the compiler knows. So the hook's type is held against a bound that
//! stands where the deciding hook has its type: where they differ, the compiler shows both places.

use super::forward::without_lifetimes;
use super::paths::qualified;
use crate::hooks::Role;
use crate::model::{Argument, Block, DecidedBatch, Written};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

/// The batch that a hook asks for, held against the deciding hook's; nothing where there is nothing to compare.
pub(super) fn taken(block: &Block, hook: &Written, argument: &Argument<'_>, root: &TokenStream) -> Option<TokenStream> {
    let decided = other(block, hook, hook.batch()?).filter(|_| argument.name == "batch")?;
    let written = without_lifetimes(argument.ty);
    let (bound, batch) = (bound("SameBatch", &decided, root), format_ident!("batch"));
    let (span, function) = called_like(&decided, written.span());
    Some(quote_spanned! {span=> {
        fn #function<Declared, Written: #bound>(declared: Declared) -> Written {
            Written::take_batch(declared)
        }
        #function::<_, #written>(#batch)
    }})
}

/// The function that turns what a loader's hook returned into what the hook returns.
pub(super) fn loaded(block: &Block, hook: &Written, declared: &Type, root: &TokenStream) -> Option<TokenStream> {
    let decided = other(block, hook, hook.loaded_batch()?)?;
    let (output, declared) = (hook.method.output(), qualified(declared, root));
    let bound = bound("LoadsSameBatch", &decided, root);
    let (span, function) = called_like(&decided, output.span());
    Some(quote_spanned! {span=> {
        fn #function<Declared, Written: #bound>(written: Written) -> Declared {
            written.into_declared()
        }
        #function::<#declared, #output>
    }})
}

/// What decided, where that is another hook with another type.
fn other<'a>(block: &'a Block, hook: &Written, written: Type) -> Option<DecidedBatch<'a>> {
    let decided = block.decided_batch().filter(|_| block.role != Role::Callback)?;
    let differs = decided.batch.to_token_stream().to_string() != written.to_token_stream().to_string();
    (differs && decided.hook.declared.name() != hook.declared.name()).then_some(decided)
}

/// The bound, from the beginning to the end of the type that decides.
fn bound(name: &str, decided: &DecidedBatch<'_>, root: &TokenStream) -> TokenStream {
    let places: Vec<Span> = decided.batch.to_token_stream().into_iter().map(|token| token.span()).collect();
    let name = format_ident!("{name}");
    let tokens = quote!(#root::__private::#name<Declared>).into_iter().enumerate();
    tokens
        .map(|(number, mut token): (usize, TokenTree)| {
            let place = if number == 0 { places.first() } else { places.last() };
            token.set_span(place.map_or_else(Span::call_site, |place| place.resolved_at(Span::call_site())));
            token
        })
        .collect()
}

/// A place with the hygiene of generated code, and there the deciding hook's name, under which the compiler speaks of the
/// bound.
fn called_like(decided: &DecidedBatch<'_>, place: Span) -> (Span, Ident) {
    let span = place.resolved_at(Span::call_site());
    (span, Ident::new(&decided.hook.declared.name().to_string(), span))
}
