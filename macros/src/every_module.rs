//! Callbacks for every module: their type parameters for the module, on the block or on a hook.
//!
//! `impl<M: LightningModule> Watch` is an error of rustc, as nothing determines `M`: the parameter moves to each method that uses it.
//! A hook `fn on_fit_start<M: LightningModule>(&mut self, module: &mut M)` then gets the module of the generated implementation.

use crate::free_name::{free_name, mentions};
use crate::model::Written;
use crate::parse::{BlockItem, ImplBlock};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::visit_mut::{VisitMut, visit_signature_mut};
use syn::{
    FnArg, GenericParam, Generics, Ident, ImplItemFn, Pat, Path, Token, Type, TypeParam, TypeParamBound,
    WherePredicate, parse_quote,
};

/// The module in the hooks of a callback that have a type parameter for it.
pub(crate) struct EveryModule {
    /// The one name of the type parameter in all hooks.
    pub(crate) ident: Ident,
    pub(crate) bounds: Punctuated<TypeParamBound, Token![+]>,
    pub(crate) predicates: Vec<WherePredicate>,
}

/// Moves the type parameters that do not occur in the block's type to the methods that use them.
pub(crate) fn move_to_methods(block: &mut ImplBlock) {
    let moved: Vec<TypeParam> =
        block.head.generics.type_params().filter(|parameter| is_free(&parameter.ident, block)).cloned().collect();
    for parameter in moved {
        let ident = parameter.ident.clone();
        let predicates = take(&mut block.head.generics, &ident);
        for item in &mut block.items {
            declare_in(item, &parameter, &predicates);
        }
    }
}

/// Whether neither the block's type nor another parameter determines the type parameter.
fn is_free(parameter: &Ident, block: &ImplBlock) -> bool {
    let head = &block.head;
    let others = head.generics.type_params().filter(|other| other.ident != *parameter);
    let others: TokenStream = others.map(ToTokens::to_token_stream).collect();
    let clauses = head.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clauses: TokenStream =
        clauses.filter(|clause| !is_about(clause, parameter)).map(ToTokens::to_token_stream).collect();
    let ty = &head.self_ty;
    !mentions(quote!(#ty #others #clauses), parameter)
}

fn is_about(predicate: &WherePredicate, parameter: &Ident) -> bool {
    matches!(predicate, WherePredicate::Type(predicate) if mentions(predicate.bounded_ty.to_token_stream(), parameter))
}

/// Removes a type parameter. Returns the predicates about it.
fn take(generics: &mut Generics, parameter: &Ident) -> Vec<WherePredicate> {
    let is_it = |other: &GenericParam| matches!(other, GenericParam::Type(other) if other.ident == *parameter);
    generics.params = generics.params.iter().filter(|other| !is_it(other)).cloned().collect();
    let Some(clause) = &mut generics.where_clause else { return Vec::new() };
    let (about, others) = clause.predicates.iter().cloned().partition(|predicate| is_about(predicate, parameter));
    clause.predicates = Vec::into_iter(others).collect();
    generics.where_clause.take_if(|clause| clause.predicates.is_empty());
    about
}

/// Declares a type parameter in a method that uses it.
fn declare_in(item: &mut BlockItem, parameter: &TypeParam, predicates: &[WherePredicate]) {
    let declare = |generics: &mut Generics| {
        generics.params.push(GenericParam::Type(parameter.clone()));
        if !predicates.is_empty() {
            generics.make_where_clause().predicates.extend(predicates.iter().cloned());
        }
    };
    if !mentions(item.to_token_stream(), &parameter.ident) {
        return;
    }
    match item {
        BlockItem::Method(method) => declare(&mut method.sig.generics),
        BlockItem::Unread(method) => {
            // one that does not parse is reported by rustc
            if let Ok(mut parsed) = syn::parse2::<ImplItemFn>(method.tokens.clone()) {
                declare(&mut parsed.sig.generics);
                method.tokens = parsed.into_token_stream();
            }
        }
        BlockItem::MacroCall(_) | BlockItem::Other(_) | BlockItem::Unfinished(_) => {}
    }
}

/// Gives the hooks with a type parameter for the module one name for it, and removes the parameter from their signatures.
pub(crate) fn unite(hooks: &mut [Written], code: TokenStream) -> Option<EveryModule> {
    let first = hooks.iter().find_map(of_hook)?;
    let others = hooks.iter().filter(|hook| of_hook(hook).is_none()).map(|hook| &hook.method.sig);
    let name = match &first {
        OfHook::Named(parameter) => parameter.ident.to_string(),
        OfHook::Hidden(_) => "M".to_owned(),
    };
    let ident = free_name(&name, quote!(#code #(#others)*));
    let mut every = EveryModule { ident, bounds: Punctuated::new(), predicates: Vec::new() };
    for hook in hooks {
        match of_hook(hook) {
            Some(OfHook::Named(parameter)) => every.rename(hook, &parameter),
            Some(OfHook::Hidden(bounds)) => every.name(hook, bounds),
            None => {}
        }
    }
    Some(every)
}

/// The type parameter of a hook for its module.
enum OfHook {
    /// `module: &mut M` with `M` declared by the method.
    Named(Box<TypeParam>),
    /// `module: &mut impl LightningModule`.
    Hidden(Punctuated<TypeParamBound, Token![+]>),
}

fn of_hook(hook: &Written) -> Option<OfHook> {
    hook.declared.parameter("module")?;
    let arguments = hook.method.arguments();
    let module = arguments.iter().find(|argument| argument.name == "module")?;
    let mut parameters = hook.method.sig.generics.type_params();
    match (parameters.next(), crate::types::without_reference(module.ty)) {
        (Some(parameter), Type::Path(path)) if path.path.is_ident(&parameter.ident) && parameters.next().is_none() => {
            Some(OfHook::Named(Box::new(parameter.clone())))
        }
        (None, Type::ImplTrait(hidden)) => Some(OfHook::Hidden(hidden.bounds.clone())),
        _ => None,
    }
}

impl EveryModule {
    /// Replaces the hook's own type parameter.
    fn rename(&mut self, hook: &mut Written, parameter: &TypeParam) {
        let signature = &mut hook.method.sig;
        self.bounds.extend(parameter.bounds.iter().cloned());
        let predicates = take(&mut signature.generics, &parameter.ident);
        let mut renamed = Renamed { from: &parameter.ident, to: &self.ident };
        visit_signature_mut(&mut renamed, signature);
        for mut predicate in predicates {
            renamed.visit_where_predicate_mut(&mut predicate);
            self.predicates.push(predicate);
        }
    }

    /// Replaces the `impl Trait` of the hook's module.
    fn name(&mut self, hook: &mut Written, bounds: Punctuated<TypeParamBound, Token![+]>) {
        self.bounds.extend(bounds);
        let ident = &self.ident;
        for input in &mut hook.method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let is_module =
                matches!(typed.pat.as_ref(), Pat::Ident(pattern) if crate::model::argument_name(pattern) == "module");
            if let (true, Type::Reference(reference)) = (is_module, typed.ty.as_mut()) {
                *reference.elem = parse_quote!(#ident);
            }
        }
    }
}

struct Renamed<'a> {
    from: &'a Ident,
    to: &'a Ident,
}

impl VisitMut for Renamed<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        syn::visit_mut::visit_path_mut(self, path);
        if let Some(first) = path.segments.first_mut().filter(|first| first.ident == *self.from) {
            first.ident = Ident::new(&self.to.to_string(), first.ident.span());
        }
    }
}
