//! The arguments of an attribute: `#[lightning_module(automatic_optimization = false)]`.

use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Meta, Path, Token};

const AUTOMATIC_OPTIMIZATION: &str = "automatic_optimization";

/// The struct that samples are joined into.
const BATCH: &str = "batch";

/// The path of the runtime crate, for crates that use it through another crate.
const CRATE: &str = "crate";

/// The arguments of an attribute, with their defaults.
pub(crate) struct Arguments {
    pub(crate) automatic_optimization: bool,
    /// The path of the runtime crate, if it is set.
    pub(crate) root: Option<TokenStream>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { automatic_optimization: true, root: None }
    }
}

impl Arguments {
    /// Reads the arguments of a block's attribute, and reports those that it does not have.
    pub(crate) fn read(role: Role, tokens: &TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let known: &[&str] = if role == Role::Module { &[AUTOMATIC_OPTIMIZATION, CRATE] } else { &[CRATE] };
        Self::of(role.attribute(), known, tokens, diagnostics)
    }

    /// Reads the arguments of the attribute of a derive, such as `#[batch(…)]`.
    pub(crate) fn of_derive(attribute: &str, tokens: &TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let known: &[&str] = if attribute == "collate" { &[BATCH, CRATE] } else { &[CRATE] };
        Self::of(attribute, known, tokens, diagnostics)
    }

    fn of(attribute: &str, known: &[&str], tokens: &TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut arguments = Self::default();
        let unknown = |argument: String| catalogue::unknown_argument(attribute, argument, list(known));
        let Ok(written) = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens.clone()) else {
            diagnostics.add(tokens, unknown(readable(tokens)));
            return arguments;
        };
        let mut seen: Vec<String> = Vec::new();
        for argument in &written {
            let name = argument.path().get_ident().map(ToString::to_string).unwrap_or_default();
            if !known.contains(&name.as_str()) {
                diagnostics.add(argument, unknown(readable(argument.path())));
            } else if seen.contains(&name) {
                diagnostics.add(argument, catalogue::repeated_argument(attribute, &name));
            } else if let Err(diagnostic) = arguments.set(&name, argument) {
                diagnostics.add(argument, diagnostic);
            }
            seen.push(name);
        }
        arguments
    }

    fn set(&mut self, name: &str, argument: &Meta) -> Result<(), Diagnostic> {
        match name {
            // `collate.rs` reads it
            BATCH if matches!(value(argument), Some(Expr::Path(_))) => {}
            BATCH => return Err(catalogue::batch_argument()),
            CRATE => self.root = Some(path(argument).ok_or_else(catalogue::crate_argument)?),
            _ => self.automatic_optimization = flag(argument).ok_or_else(|| catalogue::argument_value(name))?,
        }
        Ok(())
    }
}

/// Returns the known arguments for an error message.
fn list(known: &[&str]) -> String {
    let forms = known.iter().map(|name| match *name {
        BATCH => "`batch = Rows`".to_owned(),
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
