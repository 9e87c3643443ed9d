//! `new`, as the constructor that the generated program calls.

use crate::hooks::Role;
use crate::parse::Method;
use crate::types;
use syn::{FnArg, GenericParam, Pat, PatType, Type, TypeParam, TypeReference};

/// A method `new` that constructs its type from hyperparameters and, for a module, from the data module, in any order. The
/// parameters may have any name: the data module is a `&Data`, hyperparameters are a value. If both are references, or a single
/// parameter is one, the names `hparams` and `data` decide; otherwise the first parameter is the hyperparameters.
pub(crate) struct Constructor<'a> {
    pub(crate) method: &'a Method,
    pub(crate) hparams: Option<Parameter<'a>>,
    /// The data module.
    pub(crate) data: Option<Data<'a>>,
    /// Whether the data module is the first parameter.
    pub(crate) data_is_first: bool,
}

/// The parameter with the hyperparameters.
pub(crate) struct Parameter<'a> {
    /// Its name, without a leading `_`.
    pub(crate) name: String,
    /// Its type, without a reference.
    pub(crate) ty: &'a Type,
    pub(crate) is_reference: bool,
    /// Whether it is called `hparams`. One of another name may also be a parameter of a method that no program calls, so that its
    /// type need not be one of hyperparameters.
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
        let inputs: Vec<&PatType> = signature.inputs.iter().map(typed).collect::<Option<_>>()?;
        if inputs.iter().any(|input| is_mutable_reference(input)) {
            return None;
        }
        let data_is_first = role == Role::Module && data_is_first(&inputs);
        let (hparams, data) = match (inputs.as_slice(), data_is_first) {
            ([], _) => (None, None),
            ([hparams], false) => (Some(hparams), None),
            ([data], true) => (None, Some(data)),
            ([hparams, data], false) | ([data, hparams], true) if role == Role::Module => (Some(hparams), Some(data)),
            _ => return None,
        };
        let hparams = hparams.map(|input| Parameter::of(input));
        let data = match data {
            Some(data) => Some(Data::of(method, &data.ty)?),
            None if method.is_generic() => return None,
            None => None,
        };
        let can_be_named = hparams.as_ref().is_none_or(|hparams| types::can_be_named(hparams.ty));
        can_be_named.then_some(Self { method, hparams, data, data_is_first })
    }

    /// Returns the method as if it took nothing.
    pub(crate) fn without_parameters(method: &'a Method) -> Self {
        Self { method, hparams: None, data: None, data_is_first: false }
    }
}

/// Whether the data module is the first parameter of a module's constructor.
fn data_is_first(inputs: &[&PatType]) -> bool {
    match inputs {
        [only] => is_reference(only) && is_named(only, "data"),
        [first, second] if is_reference(first) && is_reference(second) => {
            is_named(second, "hparams") || is_named(first, "data")
        }
        [first, second] => is_reference(first) && !is_reference(second),
        _ => false,
    }
}

fn is_reference(input: &PatType) -> bool {
    matches!(*input.ty, Type::Reference(_))
}

/// Neither hyperparameters nor a data module are lent mutably.
fn is_mutable_reference(input: &PatType) -> bool {
    matches!(&*input.ty, Type::Reference(TypeReference { mutability: Some(_), .. }))
}

fn is_named(input: &PatType, expected: &str) -> bool {
    name(input).is_some_and(|name| name == expected)
}

fn name(input: &PatType) -> Option<String> {
    match input.pat.as_ref() {
        Pat::Ident(pattern) => Some(crate::model::argument_name(pattern)),
        _ => None,
    }
}

impl<'a> Parameter<'a> {
    fn of(input: &'a PatType) -> Self {
        Self {
            name: name(input).unwrap_or_default(),
            ty: types::without_reference(&input.ty),
            is_reference: is_reference(input),
            is_named_hparams: is_named(input, "hparams"),
        }
    }

    /// Whether its type cannot be a struct of hyperparameters.
    pub(crate) fn is_no_struct(&self) -> bool {
        const OTHERS: [&str; 12] = [
            "Arc",
            "BTreeMap",
            "Box",
            "Device",
            "HashMap",
            "Kind",
            "Option",
            "PathBuf",
            "Rc",
            "SequentialT",
            "VarStore",
            "Vec",
        ];
        match self.ty {
            Type::Path(_) => types::is_plain(self.ty) || OTHERS.contains(&types::last_name(self.ty).as_str()),
            Type::Macro(_) | Type::Group(_) | Type::Paren(_) => false,
            _ => true,
        }
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
