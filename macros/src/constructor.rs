//! `new`, as the constructor that the generated program calls.

use crate::hooks::Role;
use crate::parse::Method;
use crate::types;
use syn::{FnArg, GenericParam, Pat, Type, TypeParam, TypeReference};

/// A method `new` that constructs its type from hyperparameters and, for a module, from the data module. The parameters are
/// known by their position and may have any name.
pub(crate) struct Constructor<'a> {
    pub(crate) method: &'a Method,
    /// The type of the first parameter.
    pub(crate) hparams: Option<&'a Type>,
    /// The data module of the second parameter, `&Data`.
    pub(crate) data: Option<Data<'a>>,
    /// Whether the first parameter is called `hparams`. One of another name may also be a parameter of a method that no program
    /// calls, so that its type need not be one of hyperparameters.
    pub(crate) is_named_hparams: bool,
}

/// The data modules that a constructor takes.
pub(crate) enum Data<'a> {
    /// `&Digits`
    One(&'a Type),
    /// `&D` with a type parameter of the method
    Every(&'a TypeParam),
    /// `&impl Vocabulary`
    Some(&'a syn::TypeImplTrait),
}

impl<'a> Constructor<'a> {
    /// Reads the method's signature; `None` for one that the program cannot call.
    pub(crate) fn of(role: Role, method: &'a Method) -> Option<Self> {
        let signature = &method.sig;
        if method.conditions.is_marked || signature.asyncness.is_some() || signature.unsafety.is_some() {
            return None;
        }
        let typed = |input: &'a FnArg| if let FnArg::Typed(typed) = input { Some(typed) } else { None };
        let inputs: Vec<_> = signature.inputs.iter().map(typed).collect::<Option<_>>()?;
        let hparams = inputs.first().map(|input| types::without_reference(&input.ty));
        let data = inputs.get(1).map(|input| Data::of(method, &input.ty));
        let is_callable = match (hparams, &data) {
            (Some(hparams), _) if !types::can_be_named(hparams) => false,
            (_, None) => !method.is_generic(),
            (_, Some(data)) => role == Role::Module && data.is_some() && inputs.len() == 2,
        };
        let is_named_hparams = inputs.first().is_none_or(|input| match input.pat.as_ref() {
            Pat::Ident(pattern) => crate::model::argument_name(pattern) == "hparams",
            _ => false,
        });
        is_callable.then_some(Self { method, hparams, data: data.flatten(), is_named_hparams })
    }
}

impl<'a> Data<'a> {
    fn of(method: &'a Method, ty: &'a Type) -> Option<Self> {
        let Type::Reference(TypeReference { mutability: None, elem, .. }) = ty else { return None };
        let generics = &method.sig.generics.params;
        let mut parameters = generics.iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
        match (parameters.next(), elem.as_ref()) {
            (None, Type::ImplTrait(bounds)) => Some(Self::Some(bounds)),
            (None, one) => types::can_be_named(one).then_some(Self::One(one)),
            (Some(GenericParam::Type(parameter)), Type::Path(path))
                if path.path.is_ident(&parameter.ident) && parameters.next().is_none() =>
            {
                Some(Self::Every(parameter))
            }
            _ => None,
        }
    }
}
