//! What stands in an attribute's brackets: `#[lightning_module(automatic_optimization = false)]`.

use crate::catalogue;
use crate::hooks::Role;
use crate::mistakes::Mistakes;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Meta, Token};

/// The one argument that there is.
const AUTOMATIC_OPTIMIZATION: &str = "automatic_optimization";

/// The arguments of an attribute, with their defaults.
pub(crate) struct Arguments {
    pub(crate) automatic_optimization: bool,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { automatic_optimization: true }
    }
}

impl Arguments {
    /// Reads what stands in the brackets, and notes what does not belong there.
    pub(crate) fn read(role: Role, tokens: &TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut arguments = Self::default();
        let attribute = role.attribute();
        if role != Role::Module {
            if !tokens.is_empty() {
                mistakes.add(tokens, catalogue::attribute_arguments(attribute));
            }
            return arguments;
        }
        let Ok(written) = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens.clone()) else {
            mistakes.add(tokens, catalogue::unknown_argument(attribute, readable(tokens)));
            return arguments;
        };
        for argument in &written {
            if !argument.path().is_ident(AUTOMATIC_OPTIMIZATION) {
                mistakes.add(argument, catalogue::unknown_argument(attribute, readable(argument.path())));
                continue;
            }
            match flag(argument) {
                Some(value) => arguments.automatic_optimization = value,
                None => mistakes.add(argument, catalogue::argument_value(AUTOMATIC_OPTIMIZATION)),
            }
        }
        arguments
    }
}

fn flag(argument: &Meta) -> Option<bool> {
    let Meta::NameValue(argument) = argument else { return None };
    match &argument.value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Bool(value) => Some(value.value),
            _ => None,
        },
        _ => None,
    }
}

fn readable(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
