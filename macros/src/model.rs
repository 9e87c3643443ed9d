//! The meaning of a block: its hooks, the type of their batches, and what the steps return.

use crate::arguments::Arguments;
use crate::attributes::Conditions;
use crate::constructor::Constructor;
use crate::erase_lifetimes::anonymous_lifetimes;
use crate::every_module::{self, EveryModule};
use crate::free_name::mentions;
use crate::hooks::{self, Hook, HookTrait, Role, Step, result_error, result_value};
use crate::other_blocks::OtherBlocks;
use crate::parse::{BlockItem, CONSTRUCTOR, ImplBlock, Method};
use crate::types;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    FnArg, GenericParam, Generics, Ident, Pat, PatIdent, ReturnType, Type, TypeParam, TypeParamBound, WherePredicate,
    parse_quote, parse_quote_spanned,
};

/// An annotated block.
pub(crate) struct Block {
    pub(crate) role: Role,
    pub(crate) arguments: Arguments,
    pub(crate) item: ImplBlock,
    pub(crate) traits: Vec<HookTrait>,
    pub(crate) hooks: Vec<Written>,
    /// The other blocks of the type.
    pub(crate) others: OtherBlocks,
    /// Set by the checks: the program gets a constructor without hyperparameters, so that one mistake causes one error.
    pub(crate) has_faulty_hparams: bool,
    /// Set by the checks: the program gets a constructor in place of a `new` that it cannot call.
    pub(crate) has_faulty_constructor: bool,
    /// Set by the checks: what the program calls in place of a `new` in another block.
    pub(crate) stand_in_constructor: Option<Method>,
    /// Set by the checks: the program needs no data module, although a step has no loader.
    pub(crate) has_faulty_loaders: bool,
    /// Set by the checks: the program does not call `trainer_defaults`.
    pub(crate) has_faulty_defaults: bool,
    /// Set by the checks: the struct that gets an implementation of `Batch`, as its missing derive is reported.
    pub(crate) underived_batch: Option<Ident>,
    /// The module of a callback's hooks that have a type parameter for it.
    pub(crate) every_module: Option<EveryModule>,
}

/// A hook as the user wrote it.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) declared: Hook,
    pub(crate) method: Method,
    /// Set by the checks: its trait method is not generated, so that one mistake causes one error.
    pub(crate) faulty: bool,
}

/// The type of a block's batches, and the hook that is asked first for it.
pub(crate) struct DecidedBatch<'a> {
    pub(crate) hook: &'a Written,
    pub(crate) batch: Type,
}

/// A parameter of a hook as the user wrote it.
pub(crate) struct Argument<'a> {
    pub(crate) name: String,
    pub(crate) ty: &'a Type,
}

impl Block {
    pub(crate) fn new(role: Role, arguments: Arguments, item: ImplBlock) -> Self {
        let traits: Vec<HookTrait> = role.traits().collect();
        let declared: Vec<Hook> = traits.iter().flat_map(|one| one.methods()).collect();
        let mut hooks: Vec<Written> = Vec::new();
        for method in item.methods().filter(|method| !method.conditions.is_marked) {
            let Some(declared) = declared.iter().find(|hook| hook.name() == method.name) else {
                continue;
            };
            let written = Written { declared: *declared, method: method.clone(), faulty: false };
            // rustc itself reports a method that is written twice
            let again = |other: &Written| other.declared.name() == declared.name() && other.is_unconditional();
            if !(written.is_unconditional() && hooks.iter().any(again)) {
                hooks.push(written);
            }
        }
        let (generics, bounds) = (&item.head.generics, &item.head.generics.where_clause);
        let ty = &item.head.self_ty;
        let every_module = every_module::unite(&mut hooks, quote!(#generics #bounds #ty));
        Self {
            role,
            arguments,
            item,
            traits,
            hooks,
            others: OtherBlocks::default(),
            has_faulty_hparams: false,
            has_faulty_constructor: false,
            stand_in_constructor: None,
            has_faulty_loaders: false,
            has_faulty_defaults: false,
            underived_batch: None,
            every_module,
        }
    }

    /// Returns the hooks of this name; there may be several, each with a `#[cfg]`.
    pub(crate) fn written<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Written> {
        self.hooks.iter().filter(move |hook| hook.declared.name() == name)
    }

    pub(crate) fn methods<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Method> {
        self.item.methods().filter(move |method| method.name == name)
    }

    /// Whether the type may have a method of this name, in this block or another one: what an attribute does not see may have any.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        let is_unseen = |item: &BlockItem| matches!(item, BlockItem::Unfinished(_) | BlockItem::MacroCall(_));
        self.has(name) || self.others.are_annotated || self.item.items.iter().any(is_unseen)
    }

    /// Whether this block has a method of this name, or another one of the type without the attribute.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.methods(name).next().is_some() || self.others.methods.iter().any(|other| other == name)
    }

    /// Returns the methods of the block that are hooks, each with its declaration.
    pub(crate) fn hook_methods(&mut self) -> impl Iterator<Item = (Hook, &mut Method)> {
        let hooks = &self.hooks;
        self.item.items.iter_mut().filter_map(move |item| {
            let BlockItem::Method(method) = item else { return None };
            let hook = hooks.iter().find(|hook| hook.declared.name() == method.name)?;
            (!method.conditions.is_marked).then_some((hook.declared, method.as_mut()))
        })
    }

    /// Returns the methods of this name among those that are not relevant according to their name.
    pub(crate) fn unread_methods<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Method> + 'a {
        self.item.items.iter().filter_map(move |item| match item {
            BlockItem::Unread(method) if method.ident == name => method.read(name.to_owned()),
            _ => None,
        })
    }

    /// Treats a method as the hook that its name was meant as, so that one mistake causes one error. The loops do not call it.
    pub(crate) fn mean(&mut self, method: &Ident, hook: &str) {
        let Some(declared) = self.traits.iter().flat_map(|one| one.methods()).find(|declared| declared.name() == hook)
        else {
            return;
        };
        if self.written(hook).next().is_some() {
            return;
        }
        for item in &mut self.item.items {
            if let BlockItem::Unread(unread) = item
                && unread.ident == *method
                && let Some(read) = unread.read(hook.to_owned())
            {
                self.hooks.push(Written { declared, method: read.clone(), faulty: true });
                *item = BlockItem::Method(Box::new(read));
            }
        }
    }

    /// Treats a method of another name as the constructor, if the block has none.
    pub(crate) fn mean_constructor(&mut self, method: &Ident) {
        if self.methods(CONSTRUCTOR).next().is_some() {
            return;
        }
        for item in &mut self.item.items {
            if let BlockItem::Unread(unread) = item
                && unread.ident == *method
                && let Some(mut read) = unread.read(CONSTRUCTOR.to_owned())
            {
                // its body fills a value that is there, as in Python
                if read.sig.receiver().is_some() {
                    read.empty();
                }
                *item = BlockItem::Method(Box::new(read));
                return;
            }
        }
    }

    /// Returns the names of the other methods that are not marked `#[not_a_hook]`, each with the method's conditions.
    pub(crate) fn other_methods(&self) -> impl Iterator<Item = (&Ident, &Conditions)> {
        let others = self.item.items.iter().filter_map(|item| match item {
            BlockItem::Method(method) if self.written(&method.name).next().is_some() => None,
            BlockItem::Method(method) => Some((&method.sig.ident, &method.conditions)),
            BlockItem::Unread(method) => Some((&method.ident, &method.conditions)),
            BlockItem::MacroCall(_) | BlockItem::Other(_) | BlockItem::Unfinished(_) => None,
        });
        others.filter(|(_, conditions)| !conditions.is_marked)
    }

    pub(crate) fn borrows(&self) -> bool {
        let head = &self.item.head;
        head.generics.lifetimes().next().is_some() || !anonymous_lifetimes(&head.self_ty).is_empty()
    }

    /// Whether a type parameter of the block is neither in its type nor in a bound, which rustc rejects.
    pub(crate) fn has_unconstrained_parameter(&self) -> bool {
        let head = &self.item.head;
        let (ty, bounds) = (&head.self_ty, &head.generics.where_clause);
        let code = quote!(#ty #bounds);
        let is_in_bounds = |parameter: &TypeParam| {
            let bounds = head.generics.type_params().map(|parameter| &parameter.bounds);
            mentions(quote!(#(#bounds)*), &parameter.ident)
        };
        let mut parameters = head.generics.type_params();
        parameters.any(|parameter| !mentions(code.clone(), &parameter.ident) && !is_in_bounds(parameter))
    }

    /// The generics of the block for the implementations: the trainer keeps the module, so nothing in it is borrowed.
    pub(crate) fn generics(&self) -> Generics {
        let mut generics = self.item.head.generics.clone();
        let parameters: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
        for parameter in parameters {
            generics.make_where_clause().predicates.push(parse_quote!(#parameter: 'static));
        }
        generics
    }

    /// Returns the hooks that determine the type of the block's batches: the first hook with `batch`, steps before others,
    /// else the first loader. If all have a `#[cfg]`, the first one that is compiled decides.
    pub(crate) fn decided_batches(&self) -> Vec<DecidedBatch<'_>> {
        let steps = hooks::steps().flat_map(|(step, _)| self.written(step.name()));
        let (always, sometimes): (Vec<&Written>, Vec<&Written>) =
            steps.chain(&self.hooks).filter(|hook| !hook.is_generic()).partition(|hook| hook.is_unconditional());
        let mut hooks: Vec<&Written> = always.into_iter().chain(sometimes).collect();
        // a reported mistake brings no other
        hooks.sort_by_key(|hook| hook.faulty);
        let asked = hooks.iter().filter_map(|hook| Some((*hook, hook.batch()?)));
        let loaded = hooks.iter().filter_map(|hook| Some((*hook, hook.loaded_batch()?)));
        let meant = hooks.iter().filter_map(|hook| Some((*hook, hook.meant_batch()?)));
        let decided = asked.chain(loaded).chain(meant).map(|(hook, batch)| DecidedBatch { hook, batch });
        let mut decided: Vec<_> = decided.filter(|decided| types::can_be_named(&decided.batch)).collect();
        if let Some(always) = decided.iter().position(|decided| decided.hook.is_unconditional()) {
            decided.drain(..always);
            decided.truncate(1);
        }
        decided
    }

    /// Returns `new`, if it is a constructor that the generated program can call; there may be several, each with a `#[cfg]`.
    pub(crate) fn constructors(&self) -> impl Iterator<Item = Constructor<'_>> {
        // one that takes something else is for other code
        let takes_hparams = |new: &Constructor<'_>| {
            new.hparams.as_ref().is_none_or(|hparams| self.has_faulty_hparams || !hparams.is_no_struct())
        };
        let faulty = self
            .methods(CONSTRUCTOR)
            .filter(|_| self.has_faulty_constructor)
            .take(1)
            .chain(&self.stand_in_constructor)
            .map(Constructor::without_parameters);
        self.possible_constructors().filter(takes_hparams).chain(faulty)
    }

    /// Returns `new`, if it has the form of a constructor, whatever the type of its hyperparameters.
    pub(crate) fn possible_constructors(&self) -> impl Iterator<Item = Constructor<'_>> {
        self.methods(CONSTRUCTOR).filter_map(|new| Constructor::of(self.role, new))
    }
}

impl Written {
    pub(crate) fn is_unconditional(&self) -> bool {
        self.method.condition().is_none()
    }

    pub(crate) fn is_generic(&self) -> bool {
        self.method.is_generic()
    }

    /// Whether it takes what this step returned.
    pub(crate) fn takes_output_of(&self, step: Step) -> bool {
        let has_outputs = || self.method.arguments().iter().any(|argument| argument.name == "outputs");
        self.declared.parameter("outputs").is_some_and(|outputs| outputs.is_output_of(step)) && has_outputs()
    }

    /// The type of the parameter `batch`, without its reference.
    pub(crate) fn batch(&self) -> Option<Type> {
        let arguments = self.method.arguments();
        let Some(batch) = arguments.iter().find(|argument| argument.name == "batch") else {
            return self.taken_apart().map(|batch| types::owned(&batch));
        };
        let batch = types::without_reference(batch.ty);
        // a reported mistake brings no other
        (!types::has_dyn(batch)).then(|| types::owned(types::meant_batch(batch).as_ref().unwrap_or(batch)))
    }
}

impl Method {
    /// The predicate of its `#[cfg(…)]`s: what is compiled only sometimes is a hook only then.
    pub(crate) fn condition(&self) -> Option<TokenStream> {
        self.conditions.predicate()
    }

    /// Returns whether its types depend on its own type parameters.
    pub(crate) fn is_generic(&self) -> bool {
        self.sig.generics.params.iter().any(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
    }

    /// The bounds of types in its `where` clause. Every type is `Sized` or not, whatever a clause says.
    pub(crate) fn bounds(&self) -> Vec<&WherePredicate> {
        let predicates = self.sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let is_sized =
            |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if bound.path.is_ident("Sized"));
        let is_harmless = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Lifetime(_)) || is_sized(bound);
        let restricts = |predicate: &&WherePredicate| match predicate {
            WherePredicate::Type(predicate) => !predicate.bounds.iter().all(is_harmless),
            _ => false,
        };
        predicates.filter(restricts).collect()
    }

    pub(crate) fn arguments(&self) -> Vec<Argument<'_>> {
        let named = self.named_parameters();
        named.map(|(pattern, ty)| Argument { name: argument_name(pattern), ty }).collect()
    }

    /// The parameters after `self` that have a name, with their types.
    pub(crate) fn named_parameters(&self) -> impl Iterator<Item = (&PatIdent, &Type)> {
        self.sig.inputs.iter().filter_map(|input| {
            let FnArg::Typed(typed) = input else { return None };
            let Pat::Ident(pattern) = typed.pat.as_ref() else { return None };
            Some((pattern, typed.ty.as_ref()))
        })
    }

    /// Its return type; `()` with the location of its name if there is none.
    pub(crate) fn returned(&self) -> Type {
        match &self.sig.output {
            ReturnType::Default => parse_quote_spanned!(self.sig.ident.span()=> ()),
            ReturnType::Type(_, ty) => ty.as_ref().clone(),
        }
    }

    /// Returns its return type, without the `Result`.
    pub(crate) fn output(&self) -> Type {
        let returned = self.returned();
        if is_closed_result(&returned) {
            // the type of its value is resolved by the compiler, as the item of its iterator
            return parse_quote_spanned!(returned.span()=> <#returned as ::core::iter::IntoIterator>::Item);
        }
        result_value(&returned).cloned().unwrap_or(returned)
    }

    pub(crate) fn returns_result(&self) -> bool {
        let returned = self.returned();
        is_closed_result(&returned) || result_value(&returned).is_some()
    }

    /// Returns the span for errors about its error type: that of the type, or of the complete `Result` if it does not name one.
    pub(crate) fn error_span(&self) -> Span {
        let returned = self.returned();
        result_error(&returned).unwrap_or(&returned).span()
    }
}

/// Whether it is a `Result` that names neither its value nor its error, such as `fmt::Result`.
fn is_closed_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Result" && last.arguments.is_none())
}

/// Returns the name of a parameter, without the leading `_` that rustc suggests for an unused one.
pub(crate) fn argument_name(pattern: &PatIdent) -> String {
    let name = pattern.ident.unraw().to_string();
    name.strip_prefix('_').map(str::to_owned).unwrap_or(name)
}
