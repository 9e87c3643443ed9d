//! How generated code names things: by absolute paths through the runtime crate, whatever it is called and whatever the
//! user has imported.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::visit_mut::{VisitMut, visit_path_mut};
use syn::{Ident, Path, Type};

/// The runtime crate as the user's manifest calls it.
pub(crate) fn crate_root() -> TokenStream {
    match crate_name("tch-lightning") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        // the crate itself, in its examples and documentation, or one that reaches it by another way
        _ => quote!(::tch_lightning),
    }
}

/// A declared type with every name made absolute. The runtime keeps all names that the declarations use in `__private`.
pub(crate) fn qualified(ty: &Type, root: &TokenStream) -> Type {
    let mut ty = ty.clone();
    Qualifier { root }.visit_type_mut(&mut ty);
    ty
}

/// Whether a declared type is one of the language, whose name has one meaning everywhere.
pub(super) fn is_built_in(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => is_languages_own(&path.path),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

fn is_languages_own(path: &Path) -> bool {
    path.get_ident().is_some_and(|name| ["bool", "f64", "usize"].iter().any(|built_in| name == built_in))
}

struct Qualifier<'a> {
    root: &'a TokenStream,
}

impl VisitMut for Qualifier<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_path_mut(self, path);
        let is_own = path.segments.first().is_some_and(|first| first.ident == "Self");
        if !is_languages_own(path) && !is_own {
            let root = self.root;
            *path = syn::parse_quote!(#root::__private::#path);
        }
    }
}
