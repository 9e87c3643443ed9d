//! The hooks, read from their declarations.
//!
//! Each file in `hooks/` is an ordinary trait with its documentation and default bodies, and the one place where those hooks
//! are declared. The runtime's traits, tables and dispatch ([`crate::declare`]) and the checks of users' blocks
//! ([`crate::check`]) are derived from it: whoever can read a trait can add a hook.

use crate::shared_moments;
use quote::{ToTokens, format_ident};
use syn::{
    Attribute, Expr, FnArg, GenericArgument, Ident, ItemTrait, Lit, Meta, Pat, PathArguments, ReturnType, Stmt,
    TraitItem, TraitItemFn, Type,
};

const DECLARATIONS: [(&str, &str); 6] = [
    ("ModelHooks", include_str!("hooks/model_hooks.rs")),
    ("DataHooks", include_str!("hooks/data_hooks.rs")),
    ("CheckpointHooks", include_str!("hooks/checkpoint_hooks.rs")),
    ("LightningModule", include_str!("hooks/lightning_module.rs")),
    ("LightningDataModule", include_str!("hooks/lightning_data_module.rs")),
    ("Callback", include_str!("hooks/callback.rs")),
];

/// What an annotated block is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Module,
    DataModule,
    Callback,
}

impl Role {
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Module => "lightning_module",
            Self::DataModule => "lightning_datamodule",
            Self::Callback => "lightning_callback",
        }
    }

    /// The traits that a block of this role implements, supertraits first.
    pub(crate) fn traits(self) -> Vec<HookTrait> {
        let names: &[&str] = match self {
            Self::Module => &["ModelHooks", "DataHooks", "CheckpointHooks", "LightningModule"],
            Self::DataModule => &["DataHooks", "LightningDataModule"],
            Self::Callback => &["Callback"],
        };
        names.iter().filter_map(|name| HookTrait::named(name)).collect()
    }
}

/// One declared trait.
pub(crate) struct HookTrait {
    pub(crate) item: ItemTrait,
}

impl HookTrait {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (file, source) = DECLARATIONS.iter().find(|(declared, _)| *declared == name)?;
        let item =
            syn::parse_str(source).unwrap_or_else(|error| panic!("the declaration of {file} does not parse: {error}"));
        let mut declared = Self { item };
        if name == "Callback" {
            let owners = ["DataHooks", "ModelHooks", "CheckpointHooks", "LightningModule"].iter();
            let hooks = owners.filter_map(|name| Self::named(name)).flat_map(|owner| owner.item.items);
            declared.item.items.extend(shared_moments::of_callbacks(hooks));
        }
        Some(declared)
    }

    pub(crate) fn all() -> Vec<Self> {
        DECLARATIONS.iter().filter_map(|(name, _)| Self::named(name)).collect()
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.item.ident
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = Hook> + '_ {
        self.item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(method) => Some(Hook { trait_name: self.item.ident.clone(), method: method.clone() }),
            _ => None,
        })
    }

    /// The methods that the loops call as hooks: those that may fail. The others (`parameters`, `name`) are plain questions.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = Hook> + '_ {
        self.methods().filter(|method| method.value().is_some())
    }
}

/// One declared method.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) trait_name: Ident,
    pub(crate) method: TraitItemFn,
}

/// A declared parameter.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    /// Its type as users write it: a context without its phase.
    pub(crate) ty: Type,
    /// Its type as it is declared.
    pub(crate) declared: Type,
    /// The phase of a context that is not that of a step, which is the default.
    pub(crate) phase: Option<Ident>,
}

impl Hook {
    pub(crate) fn name(&self) -> &Ident {
        &self.method.sig.ident
    }

    /// The hook's variant in the runtime's enumeration `Hook`.
    pub(crate) fn variant(&self) -> Ident {
        let camel: String = self.name().to_string().split('_').map(capitalized).collect();
        format_ident!("{camel}")
    }

    /// The lines of its documentation, as they stand behind `///`.
    pub(crate) fn documentation(&self) -> Vec<String> {
        self.method.attrs.iter().filter_map(documented).collect()
    }

    /// Its documentation as text.
    pub(crate) fn about(&self) -> String {
        self.documentation().iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
    }

    /// The parameters after `self`.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.method.sig.inputs.iter().filter_map(parameter).collect()
    }

    /// The parameters' names as a sentence has them: `` `ctx`, `batch` and `batch_idx` ``.
    pub(crate) fn parameter_list(&self) -> String {
        let names: Vec<String> = self.parameters().iter().map(|parameter| format!("`{}`", parameter.name)).collect();
        match names.as_slice() {
            [] => "no parameter but `self`".to_owned(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }

    /// `T` of a declared `-> Result<T>`.
    pub(crate) fn value(&self) -> Option<Type> {
        match &self.method.sig.output {
            ReturnType::Type(_, ty) => result_value(ty).cloned(),
            ReturnType::Default => None,
        }
    }

    /// Whether it is an error to call the hook where it is not written.
    pub(crate) fn is_missing_by_default(&self) -> bool {
        self.method.default.as_ref().is_some_and(|body| body.to_token_stream().to_string().contains("MissingHook"))
    }

    /// The value of a default body that can't fail, `Ok(value)`: a loop takes it at once, without the hook's edge.
    pub(crate) fn constant_default(&self) -> Option<&Expr> {
        let [Stmt::Expr(Expr::Call(call), None)] = self.method.default.as_ref()?.stmts.as_slice() else { return None };
        let is_ok = matches!(call.func.as_ref(), Expr::Path(function) if function.path.is_ident("Ok"));
        call.args.first().filter(|value| is_ok && matches!(value, Expr::Tuple(_) | Expr::Path(_)))
    }
}

fn parameter(input: &FnArg) -> Option<Parameter> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(pattern) = typed.pat.as_ref() else { return None };
    let declared = typed.ty.as_ref().clone();
    let mut ty = declared.clone();
    let phase = without_phase(&mut ty);
    Some(Parameter { name: pattern.ident.clone(), ty, declared, phase })
}

fn documented(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    match &meta.value {
        Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Takes the phase off `&mut Context<Phase>`.
fn without_phase(ty: &mut Type) -> Option<Ident> {
    let Type::Reference(reference) = ty else { return None };
    let Type::Path(path) = reference.elem.as_mut() else { return None };
    let context = path.path.segments.last_mut().filter(|segment| segment.ident == "Context")?;
    let PathArguments::AngleBracketed(arguments) = std::mem::take(&mut context.arguments) else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(Type::Path(phase)) => phase.path.get_ident().cloned(),
        _ => None,
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// `T` of any path that ends in `Result<T>` or `Result<T, E>`.
pub(crate) fn result_value(ty: &Type) -> Option<&Type> {
    result_argument(ty, 0)
}

/// `E` of any path that ends in `Result<T, E>`.
pub(crate) fn result_error(ty: &Type) -> Option<&Type> {
    result_argument(ty, 1)
}

fn result_argument(ty: &Type, place: usize) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.iter().nth(place)? {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    }
}
