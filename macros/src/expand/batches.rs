//! Compares the batch types of a block's hooks.
//!
//! Two names may refer to the same type, which a macro cannot determine. So the hook's type must satisfy a bound whose tokens have
//! the span of the deciding hook's type: if the types differ, the compiler shows both spans.

use super::paths::Names;
use crate::hooks::Role;
use crate::model::{Argument, Block, DecidedBatch, Written};
use crate::types::without_lifetimes;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Type};

/// Returns the check of a hook's batch against the deciding hook's; empty if there is nothing to compare.
pub(super) fn taken(block: &Block, hook: &Written, argument: &Argument<'_>, names: &Names<'_>) -> Option<TokenStream> {
    let decided = other(block, hook, hook.batch()?, names).filter(|_| argument.name == "batch")?;
    let parameter = hook.declared.parameter("batch")?;
    let (batch, written) = (parameter.ident(), without_lifetimes(argument.ty));
    let declared = names.qualified(parameter.declared);
    let span = generated(written.span());
    let (there, here, bound) = (decided.name(), decided.name_at(span), decided.bound("SameBatch", names.private));
    Some(quote_spanned! {span=> {
        fn #there<Declared, Written: #bound>(declared: Declared) -> Written {
            Written::take_batch(declared)
        }
        #here::<#declared, #written>(#batch)
    }})
}

/// The function that turns what a loader's hook returned into what the hook returns.
pub(super) fn loaded(block: &Block, hook: &Written, declared: &'static str, names: &Names<'_>) -> Option<TokenStream> {
    let decided = other(block, hook, hook.loaded_batch()?, names)?;
    let (output, declared) = (hook.method.output(), names.qualified(declared));
    let span = generated(output.span());
    let (there, here, bound) = (decided.name(), decided.name_at(span), decided.bound("LoadsSameBatch", names.private));
    Some(quote_spanned! {span=> {
        fn #there<Declared, Written: #bound>(written: Written) -> Declared {
            written.into_declared()
        }
        #here::<#declared, #output>
    }})
}

/// The deciding hook, if it is another hook with another type.
fn other<'a>(block: &Block, hook: &Written, written: Type, names: &Names<'a>) -> Option<&'a DecidedBatch<'a>> {
    let decided = names.batch.filter(|_| block.role != Role::Callback)?;
    let differs = decided.batch.to_token_stream().to_string() != written.to_token_stream().to_string();
    (differs && decided.hook.declared.name() != hook.declared.name()).then_some(decided)
}

/// A user's span with the hygiene of generated code.
fn generated(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

impl DecidedBatch<'_> {
    /// The deciding hook's name with its location, for a function that the compiler names when the bound is not met.
    fn name(&self) -> Ident {
        self.name_at(generated(self.hook.method.sig.ident.span()))
    }

    fn name_at(&self, span: Span) -> Ident {
        Ident::new(self.hook.declared.name(), span)
    }

    /// The bound, from the beginning to the end of the type that decides.
    fn bound(&self, name: &str, private: &TokenStream) -> TokenStream {
        let spans: Vec<Span> = self.batch.to_token_stream().into_iter().map(|token| token.span()).collect();
        let name = format_ident!("{name}");
        let tokens = quote!(#private::#name<Declared>).into_iter().enumerate();
        tokens
            .map(|(number, mut token): (usize, TokenTree)| {
                let span = if number == 0 { spans.first() } else { spans.last() };
                token.set_span(span.map_or_else(Span::call_site, |span| generated(*span)));
                token
            })
            .collect()
    }
}
