//! Gathers what is wrong with a block, so that one compile shows all of it.

use crate::attributes::Conditions;
use crate::catalogue::Mistake;
use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. It must be taken apart with [`Mistakes::into_compile_errors`]: one that is dropped unread
/// would let a wrong block compile.
pub(crate) struct Mistakes {
    /// Each with the `#[cfg(…)]` under which it is one.
    found: Option<Vec<(Option<TokenStream>, syn::Error)>>,
    /// That of the method that is being looked at.
    condition: Option<TokenStream>,
}

impl Mistakes {
    pub(crate) fn new() -> Self {
        Self { found: Some(Vec::new()), condition: None }
    }

    /// Runs `check` on a method: its mistakes are none where the method is not compiled.
    pub(crate) fn of_method<T>(&mut self, conditions: &Conditions, check: impl FnOnce(&mut Self) -> T) -> T {
        self.condition = conditions.attribute();
        let checked = check(self);
        self.condition = None;
        checked
    }

    /// Notes a mistake on the tokens that the user wrote.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, mistake: Mistake) {
        self.push(syn::Error::new_spanned(tokens, mistake));
    }

    /// Notes a mistake that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        if let Some(found) = &mut self.found {
            found.push((self.condition.clone(), error));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.found.as_ref().map_or(0, Vec::len)
    }

    /// The `compile_error!`s of all mistakes, or nothing.
    pub(crate) fn into_compile_errors(mut self) -> TokenStream {
        let found = self.found.take().unwrap_or_default();
        let mut errors = TokenStream::new();
        for (condition, error) in found {
            condition.to_tokens(&mut errors);
            error.to_compile_error().to_tokens(&mut errors);
        }
        errors
    }

    /// The sentences alone.
    #[cfg(test)]
    pub(crate) fn into_sentences(mut self) -> Vec<String> {
        self.found.take().unwrap_or_default().iter().map(|(_, error)| error.to_string()).collect()
    }
}

impl Drop for Mistakes {
    fn drop(&mut self) {
        if self.found.is_some() && !std::thread::panicking() {
            panic!("mistakes were gathered and never shown");
        }
    }
}
