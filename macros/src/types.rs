//! Comparison of types by their tokens.

use crate::hooks::parsed;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{VisitMut, visit_type_mut, visit_type_reference_mut};
use syn::{
    BoundLifetimes, GenericArgument, Ident, Lifetime, ParenthesizedGenericArguments, Path, PathArguments, Type,
    TypeBareFn, TypeReference, parse_quote,
};

/// Returns whether the written type cannot be the declared one, independent of what its names refer to.
pub(crate) fn surely_differ(declared: &Type, written: &Type) -> bool {
    match (declared, written) {
        (_, Type::ImplTrait(_)) => false,
        (declared, written) if is_associated(declared) => matches!(written, Type::Reference(_)),
        (Type::Reference(declared), Type::Reference(written)) => {
            let asks_for_more = declared.mutability.is_none() && written.mutability.is_some();
            asks_for_more || surely_differ(&declared.elem, &written.elem)
        }
        (Type::Slice(declared), Type::Slice(written)) => surely_differ(&declared.elem, &written.elem),
        (Type::Reference(declared), written) => {
            // for other declared types, the compiler's message has the path of the right one
            let is_owned_batch = is_associated(&declared.elem) && is_collection(written);
            let is_owned = is_plain(written) || is_owned_batch || matches!(written, Type::Tuple(_));
            is_owned || last_name(&declared.elem) == last_name(written)
        }
        (declared, Type::Reference(_)) => is_plain(declared),
        (declared, written) if is_plain(declared) && is_collection(written) => true,
        (declared, written) => !is_alias(written) && readable(declared) != readable(written),
    }
}

/// Whether the written type is a shared borrow and the declared one a mutable borrow.
pub(crate) fn borrows_less(declared: &Type, written: &Type) -> bool {
    let is_mutable = |ty: &Type| if let Type::Reference(ty) = ty { Some(ty.mutability.is_some()) } else { None };
    (is_mutable(declared), is_mutable(written)) == (Some(true), Some(false))
}

/// Whether the written type is a borrow and the declared one a borrow for ever.
pub(crate) fn lives_less(declared: &Type, written: &Type) -> bool {
    let lasts = |ty: &Type| match ty {
        Type::Reference(ty) => Some(ty.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")),
        _ => None,
    };
    (lasts(declared), lasts(written)) == (Some(true), Some(false))
}

/// The name of a type without its path and its arguments: `VarStore` of `nn::VarStore`.
pub(crate) fn last_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        other => readable(other),
    }
}

/// The types whose names are never redefined in practice.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 20] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64",
        "u128", "usize", "String", "Tensor", "Stage",
    ];
    matches!(ty, Type::Path(path) if path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)))
}

/// The collections of the standard library, which are never another name of a reference. What they hold is their last argument.
const COLLECTIONS: [&str; 5] = ["BTreeMap", "Box", "HashMap", "Option", "Vec"];

pub(crate) fn is_collection(ty: &Type) -> bool {
    matches!(ty, Type::Path(_)) && COLLECTIONS.contains(&last_name(ty).as_str())
}

/// Whether it cannot be another name of `()`.
pub(crate) fn is_something(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Array(_) | Type::Slice(_) => true,
        ty => is_plain(ty) || is_collection(ty) || last_name(ty) == "Tensor",
    }
}

/// Returns the batch that a written type stands for, if the type itself cannot be one: `Tensor` for `Arc<Tensor>`, `Vec<Tensor>` for
/// `[Tensor]`.
pub(crate) fn meant_batch(written: &Type) -> Option<Type> {
    const WRAPPERS: [&str; 7] = ["Arc", "Cell", "DataLoader", "Mutex", "Rc", "RefCell", "RwLock"];
    match written {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            Some(parse_quote!(Vec<#elem>))
        }
        Type::Path(path) if path.path.is_ident("str") => Some(parse_quote!(String)),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            match (WRAPPERS.iter().any(|wrapper| last.ident == wrapper), arguments.args.first()) {
                (true, Some(GenericArgument::Type(inner))) => Some(meant_batch(inner).unwrap_or_else(|| inner.clone())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a value of the type may hold a tensor. Numbers and texts do not, nor collections of them.
pub(crate) fn may_hold_tensors(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().any(may_hold_tensors),
        Type::Array(array) => may_hold_tensors(&array.elem),
        Type::Group(group) => may_hold_tensors(&group.elem),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return true };
            let of_values = match &last.arguments {
                PathArguments::AngleBracketed(arguments) => arguments.args.last(),
                _ => None,
            };
            match (last.ident.to_string().as_str(), of_values) {
                ("Tensor", _) => true,
                ("PhantomData", _) => false,
                (name, Some(GenericArgument::Type(value))) if COLLECTIONS.contains(&name) => may_hold_tensors(value),
                _ => !is_plain(ty),
            }
        }
        _ => true,
    }
}

/// A path or a macro that may well be another name of the declared type.
fn is_alias(ty: &Type) -> bool {
    matches!(ty, Type::Path(_) | Type::Macro(_)) && !is_plain(ty)
}

/// Whether it contains an `impl Trait`.
pub(crate) fn has_impl(ty: &Type) -> bool {
    struct Impl(bool);
    impl VisitMut for Impl {
        fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut found = Impl(false);
    found.visit_type_mut(&mut ty.clone());
    found.0
}

/// Whether it contains a trait object.
pub(crate) fn has_dyn(ty: &Type) -> bool {
    struct Dyn(bool);
    impl VisitMut for Dyn {
        fn visit_type_trait_object_mut(&mut self, _: &mut syn::TypeTraitObject) {
            self.0 = true;
        }
    }
    let mut found = Dyn(false);
    found.visit_type_mut(&mut ty.clone());
    found.0
}

/// Whether it is a trait object, or a reference to one.
pub(crate) fn is_dyn(ty: &Type) -> bool {
    matches!(without_reference(ty), Type::TraitObject(_))
}

/// Whether it is a reference to what is mostly the name of a type parameter: `&mut M`.
pub(crate) fn is_letter(ty: &Type) -> bool {
    let Type::Path(path) = without_reference(ty) else { return false };
    path.path.get_ident().is_some_and(|name| name == "M" || name == "T")
}

/// Whether it is the trainer, which Lightning has in place of the context.
pub(crate) fn is_trainer(ty: &Type) -> bool {
    last_name(without_reference(ty)) == "Trainer"
}

/// `Self::Batch` and its like, which the block itself decides; in a callback's hooks `M` and `M::Batch`.
pub(crate) fn is_associated(ty: &Type) -> bool {
    let is_open = |name: &syn::Ident| name == "Self" || name == "M";
    matches!(ty, Type::Path(path) if path.path.segments.first().is_some_and(|first| is_open(&first.ident)))
}

/// The first reference or lifetime in a type that must own what it holds.
pub(crate) fn borrow(ty: &Type) -> Option<TokenStream> {
    struct Borrow(Option<TokenStream>);
    impl VisitMut for Borrow {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert_with(|| quote!(#lifetime));
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                self.0.get_or_insert_with(|| quote!(#reference));
            }
        }

        // what a function takes and returns is not held by it
        fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}

        fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}

        fn visit_bound_lifetimes_mut(&mut self, _: &mut BoundLifetimes) {}
    }
    let mut found = Borrow(None);
    found.visit_type_mut(&mut ty.clone());
    found.0
}

/// Returns the type with the values of its references in their place.
pub(crate) fn owned(ty: &Type) -> Type {
    struct Owned;
    impl VisitMut for Owned {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            while let Type::Reference(reference) = ty
                && reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static")
            {
                *ty = reference.elem.as_ref().clone();
            }
            visit_type_mut(self, ty);
        }

        // what a function takes and returns is not held by it
        fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}

        fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    }
    let mut ty = ty.clone();
    Owned.visit_type_mut(&mut ty);
    ty
}

/// Whether it can be an associated type.
pub(crate) fn can_be_named(ty: &Type) -> bool {
    borrow(ty).is_none() && !has_impl(ty)
}

/// Returns `T` for `&T` and `&mut T`, and any other type unchanged.
pub(crate) fn without_reference(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => &reference.elem,
        owned => owned,
    }
}

/// The declared type as the user would write it: where the block decides the type, with the user's own.
pub(crate) fn expected(declared: &Type, written: &Type) -> String {
    let bare = without_reference(written);
    match declared {
        Type::Reference(TypeReference { elem, mutability, .. }) if is_associated(elem) => {
            let mutable = if mutability.is_some() { "mut " } else { "" };
            format!("&{mutable}{}", readable(bare))
        }
        declared if is_associated(declared) => readable(bare),
        declared => readable(declared),
    }
}

/// A type as people write it: tokens without the blanks that `quote` puts between them.
pub(crate) fn readable(ty: &Type) -> String {
    readable_tokens(ty.to_token_stream())
}

/// Tokens as people write them.
pub(crate) fn readable_tokens(tokens: TokenStream) -> String {
    let spaced = tokens.to_string();
    [
        ("& mut ", "&mut "),
        ("& ", "&"),
        (" :: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" : ", ": "),
        (" (", "("),
        ("=(", "= ("),
    ]
    .iter()
    .fold(spaced, |text, (spaced, tight)| text.replace(spaced, tight))
}

/// A named lifetime of the method is none in the generated one: every lifetime is inferred there.
pub(crate) fn without_lifetimes(ty: &Type) -> Type {
    struct Inferred;
    impl VisitMut for Inferred {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                lifetime.ident = Ident::new("_", lifetime.ident.span());
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference.lifetime.take_if(|lifetime| lifetime.ident != "static");
            visit_type_reference_mut(self, reference);
        }
    }
    let mut ty = ty.clone();
    Inferred.visit_type_mut(&mut ty);
    ty
}

/// Returns a declared type outside its trait, with `M` in place of `Self`.
pub(crate) fn of_module(declared: &str) -> Type {
    struct ForSelf;
    impl VisitMut for ForSelf {
        fn visit_path_mut(&mut self, path: &mut Path) {
            syn::visit_mut::visit_path_mut(self, path);
            if let Some(first) = path.segments.first_mut().filter(|first| first.ident == "Self") {
                first.ident = Ident::new("M", first.ident.span());
            }
        }
    }
    let mut ty = parsed(declared);
    ForSelf.visit_type_mut(&mut ty);
    ty
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_tensors_are_known() {
        let may_hold = |ty: &str| may_hold_tensors(&syn::parse_str(ty).unwrap());
        for without in [
            "String",
            "i64",
            "()",
            "Vec<String>",
            "[bool; 3]",
            "Option<(f32, Vec<u8>)>",
            "HashMap<String, Box<i64>>",
            "std::marker::PhantomData<Tensor>",
        ] {
            assert!(!may_hold(without), "{without}");
        }
        for with in [
            "Tensor",
            "tch::Tensor",
            "Vec<Tensor>",
            "[Tensor; 3]",
            "(String, Option<Tensor>)",
            "BTreeMap<String, Tensor>",
            "Rows",
            "T",
            "T::Item",
            "crate::rows!()",
        ] {
            assert!(may_hold(with), "{with}");
        }
    }

    fn differ(declared: &str, written: &str) -> bool {
        surely_differ(&syn::parse_str(declared).unwrap(), &syn::parse_str(written).unwrap())
    }

    #[test]
    fn types_are_refused_only_if_certainly_wrong() {
        for (declared, wrong) in [
            ("usize", "i64"),
            ("&mut Context", "Context"),
            ("&mut Context", "&mut usize"),
            ("&Self::Batch", "(Tensor, Tensor)"),
            ("&Self::Batch", "&mut Rows"),
            ("Self::Batch", "&Rows"),
            ("Option<f64>", "f64"),
            ("Stage", "Option<Stage>"),
            ("&[Self::Prediction]", "&Tensor"),
            ("&[Self::Prediction]", "&[&Tensor]"),
        ] {
            assert!(differ(declared, wrong), "{declared} and {wrong}");
        }
        for (declared, possible) in [
            ("usize", "BatchNumber"),
            ("&mut Context", "&Context"),
            ("&mut Context", "&mut tch_lightning::Context"),
            ("&Self::Batch", "&(Tensor, Tensor)"),
            ("&Self::Batch", "BorrowedRows"),
            ("&[Self::Prediction]", "&[Tensor]"),
            ("&Tensor", "&tch::Tensor"),
            ("Option<f64>", "std::option::Option<f64>"),
        ] {
            assert!(!differ(declared, possible), "{declared} and {possible}");
        }
    }
}
