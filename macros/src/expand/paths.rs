//! How generated code names things: by absolute paths through the runtime crate, whatever it is called and whatever the
//! user has imported or has named alike.

use crate::hooks::parsed;
use crate::model::DecidedBatch;
use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::cell::RefCell;
use std::collections::HashMap;
use std::{env, fs, path};
use syn::visit_mut::{VisitMut, visit_path_mut, visit_type_mut};
use syn::{Ident, Path, Type};

const RUNTIME: &str = "tch-lightning";

/// The runtime crate as the user's manifest calls it.
pub(crate) fn crate_root() -> TokenStream {
    if is_called_by_its_own_name() {
        return quote!(::tch_lightning);
    }
    match crate_name(RUNTIME) {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        // the crate itself, in its examples and documentation, or one that reaches it by another way
        _ => quote!(::tch_lightning),
    }
}

/// Whether the user's manifest has the runtime crate under its own name. That is how it nearly always is, and is seen without
/// asking cargo for the workspace, which takes as long as all of an expansion.
fn is_called_by_its_own_name() -> bool {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(|folder| path::Path::new(&folder).join("Cargo.toml"));
    let manifest = manifest.and_then(|manifest| fs::read_to_string(manifest).ok()).unwrap_or_default();
    depends_by_its_own_name(&manifest)
}

fn depends_by_its_own_name(manifest: &str) -> bool {
    // a renamed dependency has the crate's name in quotes
    let is_renamed = [format!("\"{RUNTIME}\""), format!("'{RUNTIME}'")].iter().any(|quoted| manifest.contains(quoted));
    let is_dependency = |line: &str| {
        let line = line.trim_start();
        let after = |start: &str| line.strip_prefix(start).and_then(|rest| rest.trim_start().chars().next());
        after(RUNTIME).is_some_and(|next| next == '=' || next == '.')
            || (line.starts_with('[') && line.trim_end().ends_with(&format!("dependencies.{RUNTIME}]")))
    };
    !is_renamed && manifest.lines().any(is_dependency)
}

/// What the names in a declared type stand for where an implementation is written.
pub(super) struct Names<'a> {
    /// The path of the runtime crate.
    pub(super) root: &'a TokenStream,
    /// The module that a callback watches: `M` in the declarations, and `Self` in those of the moments that it shares.
    module: Option<&'a Type>,
    /// What the block's batches are, where one of its hooks says it.
    pub(super) batch: Option<&'a DecidedBatch<'a>>,
    /// The declared types so far: there are many fewer types than parameters.
    qualified: RefCell<HashMap<&'static str, TokenStream>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(root: &'a TokenStream, module: Option<&'a Type>, batch: Option<&'a DecidedBatch<'a>>) -> Self {
        Self { root, module, batch, qualified: RefCell::default() }
    }

    /// A declared type with every name made absolute. The runtime keeps all names that the declarations use in `__private`.
    pub(super) fn qualified(&self, declared: &'static str) -> TokenStream {
        let mut qualified = self.qualified.borrow_mut();
        let new = || {
            let mut ty: Type = parsed(declared);
            Qualifier(self).visit_type_mut(&mut ty);
            ty.into_token_stream()
        };
        qualified.entry(declared).or_insert_with(new).clone()
    }

    /// The type that a declared path means, where the block decides it.
    fn decided(&self, path: &Path) -> Option<TokenStream> {
        let root = self.root;
        let first = path.segments.first()?;
        let owner = match self.module {
            Some(module) if first.ident == "M" || first.ident == "Self" => quote!(#module),
            None if first.ident == "Self" => quote!(Self),
            _ => return None,
        };
        let Some(associated) = path.segments.iter().nth(1).map(|second| &second.ident) else { return Some(owner) };
        let declared_in = if associated == "Batch" { quote!(Batched) } else { quote!(StepOutputs) };
        // without its trait, the name could be that of a variant too, where the type is an enum
        Some(quote!(<#owner as #root::__private::#declared_in>::#associated))
    }
}

/// Whether a declared type is one of the language, which generated code passes on as it is.
pub(super) fn is_built_in(declared: &str) -> bool {
    declared == "()" || BUILT_IN.contains(&declared)
}

const BUILT_IN: [&str; 4] = ["bool", "f64", "str", "usize"];

struct Qualifier<'a, 'n>(&'a Names<'n>);

impl VisitMut for Qualifier<'_, '_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_type_mut(self, ty);
        if let Type::Path(path) = ty
            && let Some(decided) = self.0.decided(&path.path)
        {
            *ty = Type::Verbatim(decided);
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_path_mut(self, path);
        let root = self.0.root;
        if path.get_ident().is_some_and(|name| BUILT_IN.iter().any(|built_in| name == built_in)) {
            *path = syn::parse_quote!(::core::primitive::#path);
        } else if self.0.decided(path).is_none() {
            *path = syn::parse_quote!(#root::__private::#path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_names_the_crate_is_understood_without_cargo() {
        for own in [
            "[dependencies]\ntch-lightning = \"0.1\"",
            "[dependencies]\n  tch-lightning.workspace = true",
            "[target.'cfg(unix)'.dependencies.tch-lightning]\nversion = \"0.1\"",
        ] {
            assert!(depends_by_its_own_name(own), "{own}");
        }
        for other in [
            "[package]\nname = \"tch-lightning\"",
            "[dependencies]\nlightning = { package = \"tch-lightning\", version = \"0.1\" }",
            "[dependencies]\n# tch-lightning = \"0.1\"\nlightning.workspace = true",
            "[dependencies]\ntch-lightning-macros = \"0.1\"",
            "[dependencies]\ntch-lightning = \"0.1\"\nother = { package = 'tch-lightning' }",
        ] {
            assert!(!depends_by_its_own_name(other), "{other}");
        }
    }
}
