//! What stands in an attribute's brackets: `#[lightning_module(automatic_optimization = false)]`.

use crate::catalogue::{self, Mistake};
use crate::hooks::Role;
use crate::mistakes::Mistakes;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Meta, Path, Token};

const AUTOMATIC_OPTIMIZATION: &str = "automatic_optimization";

/// Where the runtime crate is, for those who reach it through another crate.
const CRATE: &str = "crate";

/// The arguments of an attribute, with their defaults.
pub(crate) struct Arguments {
    pub(crate) automatic_optimization: bool,
    /// The path of the runtime crate, where it is given.
    pub(crate) root: Option<TokenStream>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { automatic_optimization: true, root: None }
    }
}

impl Arguments {
    /// Reads what stands in the brackets of a block's attribute, and notes what does not belong there.
    pub(crate) fn read(role: Role, tokens: &TokenStream, mistakes: &mut Mistakes) -> Self {
        let known: &[&str] = if role == Role::Module { &[AUTOMATIC_OPTIMIZATION, CRATE] } else { &[CRATE] };
        Self::of(role.attribute(), known, tokens, mistakes)
    }

    /// Reads what stands in the brackets of `#[batch(…)]`.
    pub(crate) fn of_batch(tokens: &TokenStream, mistakes: &mut Mistakes) -> Self {
        Self::of("batch", &[CRATE], tokens, mistakes)
    }

    fn of(attribute: &str, known: &[&str], tokens: &TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut arguments = Self::default();
        let unknown = |argument: String| catalogue::unknown_argument(attribute, argument, list(known));
        let Ok(written) = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens.clone()) else {
            mistakes.add(tokens, unknown(readable(tokens)));
            return arguments;
        };
        for argument in &written {
            let name = argument.path().get_ident().map(ToString::to_string).unwrap_or_default();
            if !known.contains(&name.as_str()) {
                mistakes.add(argument, unknown(readable(argument.path())));
            } else if let Err(mistake) = arguments.set(&name, argument) {
                mistakes.add(argument, mistake);
            }
        }
        arguments
    }

    fn set(&mut self, name: &str, argument: &Meta) -> Result<(), Mistake> {
        match name {
            CRATE => self.root = Some(path(argument).ok_or_else(catalogue::crate_argument)?),
            _ => self.automatic_optimization = flag(argument).ok_or_else(|| catalogue::argument_value(name))?,
        }
        Ok(())
    }
}

/// The known arguments as a sentence has them.
fn list(known: &[&str]) -> String {
    let forms = known.iter().map(|name| match *name {
        CRATE => "`crate = \"…\"`".to_owned(),
        flag => format!("`{flag} = false`"),
    });
    forms.collect::<Vec<_>>().join(", ")
}

fn value(argument: &Meta) -> Option<&Expr> {
    if let Meta::NameValue(argument) = argument { Some(&argument.value) } else { None }
}

fn flag(argument: &Meta) -> Option<bool> {
    match value(argument)? {
        Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => Some(value.value),
        _ => None,
    }
}

/// The path in `crate = "some::path"`, as serde has it.
fn path(argument: &Meta) -> Option<TokenStream> {
    let path = match value(argument)? {
        Expr::Lit(ExprLit { lit: Lit::Str(value), .. }) => value.parse_with(Path::parse_mod_style).ok()?,
        _ => return None,
    };
    Some(path.into_token_stream())
}

fn readable(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
