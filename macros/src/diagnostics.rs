//! Collects the errors of a block, so that one compilation shows all of them.

use crate::attributes::Conditions;
use crate::catalogue::Diagnostic;
use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors so far. It must be consumed with [`Diagnostics::into_compile_errors`]: one that is dropped without it
/// would let a wrong block compile.
pub(crate) struct Diagnostics {
    /// Each with the `#[cfg(…)]` of its method.
    found: Option<Vec<(Option<TokenStream>, syn::Error)>>,
    /// The condition of the method that is being checked.
    condition: Option<TokenStream>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { found: Some(Vec::new()), condition: None }
    }

    /// Runs `check` on a method. Its errors have the method's conditions.
    pub(crate) fn of_method<T>(&mut self, conditions: &Conditions, check: impl FnOnce(&mut Self) -> T) -> T {
        self.condition = conditions.attribute();
        let checked = check(self);
        self.condition = None;
        checked
    }

    /// Adds an error with the location of these tokens.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, diagnostic: Diagnostic) {
        self.push(syn::Error::new_spanned(tokens, diagnostic));
    }

    /// Adds an error of syn.
    pub(crate) fn push(&mut self, error: syn::Error) {
        if let Some(found) = &mut self.found {
            found.push((self.condition.clone(), error));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.found.as_ref().map_or(0, Vec::len)
    }

    /// Returns a `compile_error!` for each error.
    pub(crate) fn into_compile_errors(mut self) -> TokenStream {
        let found = self.found.take().unwrap_or_default();
        let mut errors = TokenStream::new();
        for (condition, error) in found {
            condition.to_tokens(&mut errors);
            error.to_compile_error().to_tokens(&mut errors);
        }
        errors
    }

    /// Returns the messages.
    #[cfg(test)]
    pub(crate) fn into_sentences(mut self) -> Vec<String> {
        self.found.take().unwrap_or_default().iter().map(|(_, error)| error.to_string()).collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        if self.found.is_some() && !std::thread::panicking() {
            panic!("mistakes were gathered and never shown");
        }
    }
}
