//! The hooks, by their declarations.
//!
//! Each file in this folder is an ordinary trait with its documentation and default bodies, and the one place where those
//! hooks are declared. The runtime's traits, tables and dispatch ([`crate::declare`]) and the checks of users' blocks
//! ([`crate::check`]) are derived from it: whoever can read a trait can add a hook.
//!
//! The declarations are constants: `declarations!` takes the traits apart when this crate is compiled. Macros run
//! unoptimized in users' builds, where parsing the traits would take longer than the rest of an expansion.

use quote::format_ident;
use syn::parse::Parse;
use syn::{Expr, GenericArgument, Ident, PathArguments, Stmt, Type};

/// Makes `DECLARED`, a [`TraitDeclaration`], of a trait. Types and bodies are kept as text.
macro_rules! declarations {
    (@methods $trait:ident [$($methods:tt)*]) => { &[$($methods)*] };

    // a constant is for the runtime alone
    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        const $constant:ident: $of:ty = $value:expr;
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*] $($others)*)
    };

    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident(&$($receiver:ident)+ $(, $parameter:ident: $ty:ty)* $(,)?) $(-> $output:ty)?;
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*
            declarations!(
                @method None, $trait, $name, $($receiver)+, [$(#[$($attribute)*])*], [$($parameter: $ty),*], [$($output)?]
            ),
        ] $($others)*)
    };

    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident(&$($receiver:ident)+ $(, $parameter:ident: $ty:ty)* $(,)?) $(-> $output:ty)? $default:block
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*
            declarations!(
                @method Some(stringify!($default)),
                $trait, $name, $($receiver)+, [$(#[$($attribute)*])*], [$($parameter: $ty),*], [$($output)?]
            ),
        ] $($others)*)
    };

    (@method $default:expr, $trait:ident, $name:ident, $($receiver:ident)+,
        [$(#[$($attribute:tt)*])*], [$($parameter:ident: $ty:ty),*], [$($output:ty)?]
    ) => {
        crate::hooks::Declaration {
            trait_name: stringify!($trait),
            name: stringify!($name),
            documentation: &[$(declarations!(@documentation $($attribute)*)),*],
            has_callbacks: false $(|| declarations!(@has_callbacks $($attribute)*))*,
            receiver: concat!("&", $(stringify!($receiver), " "),+),
            parameters: &[$((stringify!($parameter), stringify!($ty))),*],
            output: concat!($(stringify!($output))?),
            default: $default,
        }
    };

    (@documentation doc = $line:literal) => { Some($line) };
    (@documentation $($other:tt)*) => { None };

    (@has_callbacks callback) => { true };
    (@has_callbacks $($other:tt)*) => { false };

    (@trait $(#[$($attribute:tt)*])*
        pub trait $name:ident $(<$module:ident: $bound:ident>)?: $supertrait:ident $(+ $supertraits:tt)* { $($items:tt)* }
    ) => {
        crate::hooks::TraitDeclaration {
            name: stringify!($name),
            source: stringify!(
                $(#[$($attribute)*])*
                pub trait $name $(<$module: $bound>)?: $supertrait $(+ $supertraits)* { $($items)* }
            ),
            methods: declarations!(@methods $name [] $($items)*),
        }
    };

    ($($declared:tt)*) => {
        pub(super) const DECLARED: crate::hooks::TraitDeclaration = declarations!(@trait $($declared)*);
    };
}

mod callback;
mod checkpoint_hooks;
mod data_hooks;
mod lightning_data_module;
mod lightning_module;
mod model_hooks;

const DECLARED: [&TraitDeclaration; 6] = [
    &model_hooks::DECLARED,
    &data_hooks::DECLARED,
    &checkpoint_hooks::DECLARED,
    &lightning_module::DECLARED,
    &lightning_data_module::DECLARED,
    &callback::DECLARED,
];

/// A trait as it stands in its file.
struct TraitDeclaration {
    name: &'static str,
    /// The whole trait.
    source: &'static str,
    methods: &'static [Declaration],
}

/// A method as it stands in its file.
struct Declaration {
    trait_name: &'static str,
    name: &'static str,
    /// A line for each `///`, and nothing for each other attribute.
    documentation: &'static [Option<&'static str>],
    /// Whether it stands under `#[callback]`: callbacks have the hook too.
    has_callbacks: bool,
    /// `&mut self`, or `&self`.
    receiver: &'static str,
    /// Names and types of the parameters after `self`.
    parameters: &'static [(&'static str, &'static str)],
    /// What it returns; empty where it returns nothing.
    output: &'static str,
    default: Option<&'static str>,
}

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
    pub(crate) fn traits(self) -> impl Iterator<Item = HookTrait> {
        let names: &[&str] = match self {
            Self::Module => &["ModelHooks", "DataHooks", "CheckpointHooks", "LightningModule"],
            Self::DataModule => &["DataHooks", "LightningDataModule"],
            Self::Callback => &["Callback"],
        };
        names.iter().filter_map(|name| HookTrait::named(name))
    }
}

/// One declared trait.
#[derive(Clone, Copy)]
pub(crate) struct HookTrait {
    declared: &'static TraitDeclaration,
}

impl HookTrait {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|one| one.name() == name)
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        DECLARED.into_iter().map(|declared| Self { declared })
    }

    pub(crate) fn name(self) -> &'static str {
        self.declared.name
    }

    /// The trait as it stands in its file, for [`crate::declare`].
    pub(crate) fn source(self) -> &'static str {
        self.declared.source
    }

    /// Its methods. Those of `Callback` include the moments that callbacks share with modules.
    pub(crate) fn methods(self) -> impl Iterator<Item = Hook> {
        let own = self.declared.methods.iter().map(|declared| Hook { declared, is_of_callback: false });
        own.chain(self.shared_moments())
    }

    /// The hooks that are declared with the modules', under `#[callback]`: nothing for another trait than `Callback`.
    pub(crate) fn shared_moments(self) -> impl Iterator<Item = Hook> {
        let owners = ["DataHooks", "ModelHooks", "CheckpointHooks", "LightningModule"].into_iter();
        let owners = owners.filter(move |_| self.name() == "Callback").filter_map(Self::named);
        let methods = owners.flat_map(|owner| owner.declared.methods).filter(|declared| declared.has_callbacks);
        methods.map(|declared| Hook { declared, is_of_callback: true })
    }

    /// The methods that the loops call as hooks: those that may fail. The others (`parameters`, `name`) are plain questions.
    pub(crate) fn hooks(self) -> impl Iterator<Item = Hook> {
        self.methods().filter(|method| method.declared.output.starts_with("Result<"))
    }
}

/// One declared method.
#[derive(Clone, Copy)]
pub(crate) struct Hook {
    declared: &'static Declaration,
    /// Whether it is a module's hook as callbacks have it: with the module behind `ctx`, and without an answer.
    is_of_callback: bool,
}

/// A declared parameter.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// Its type as it is declared.
    pub(crate) declared: &'static str,
}

impl Hook {
    pub(crate) fn name(self) -> &'static str {
        self.declared.name
    }

    pub(crate) fn ident(self) -> Ident {
        format_ident!("{}", self.name())
    }

    pub(crate) fn trait_name(self) -> &'static str {
        if self.is_of_callback { "Callback" } else { self.declared.trait_name }
    }

    /// The hook's variant in the runtime's enumeration `Hook`.
    pub(crate) fn variant(self) -> Ident {
        let camel: String = self.name().split('_').map(capitalized).collect();
        format_ident!("{camel}")
    }

    /// The lines of its documentation, as they stand after `///`.
    pub(crate) fn documentation(self) -> impl Iterator<Item = &'static str> {
        self.declared.documentation.iter().filter_map(|line| *line)
    }

    /// Its documentation as text.
    pub(crate) fn about(self) -> String {
        self.documentation().map(str::trim).collect::<Vec<_>>().join("\n")
    }

    /// Whether it takes `&mut self`; the plain questions of a callback take `&self`.
    pub(crate) fn takes_self_mutably(self) -> bool {
        self.declared.receiver.contains("mut ")
    }

    /// The parameters after `self`.
    pub(crate) fn parameters(self) -> impl Iterator<Item = Parameter> {
        let mut declared = self.declared.parameters.iter().map(|(name, declared)| Parameter { name, declared });
        let module = self.is_of_callback.then_some(Parameter { name: "module", declared: "&mut M" });
        // after `ctx`
        declared.next().into_iter().chain(module).chain(declared)
    }

    pub(crate) fn parameter(self, name: &str) -> Option<Parameter> {
        self.parameters().find(|parameter| parameter.name == name)
    }

    /// The parameters' names as a sentence has them: `` `ctx`, `batch` and `batch_idx` ``.
    pub(crate) fn parameter_list(self) -> String {
        let names: Vec<String> = self.parameters().map(|parameter| format!("`{}`", parameter.name)).collect();
        match names.as_slice() {
            [] => "no parameter but `self`".to_owned(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }

    /// What it returns, where it returns something.
    pub(crate) fn output(self) -> Option<&'static str> {
        match self.declared.output {
            "" => None,
            _ if self.is_of_callback => Some("Result<()>"),
            output => Some(output),
        }
    }

    /// `T` of a declared `-> Result<T>`: what a hook returns that did not fail. Plain questions (`parameters`) have none.
    pub(crate) fn value(self) -> Option<&'static str> {
        self.output()?.strip_prefix("Result<")?.strip_suffix('>')
    }

    /// Whether it is one of the four steps: what it returns is then the user's own choice.
    pub(crate) fn is_step(self) -> bool {
        self.trait_name() == "LightningModule" && self.value().is_some_and(|value| value.starts_with("Self::"))
    }

    pub(crate) fn has_default(self) -> bool {
        self.declared.default.is_some()
    }

    /// Whether it is an error to call the hook where it is not written.
    pub(crate) fn is_missing_by_default(self) -> bool {
        self.declared.default.is_some_and(|body| body.contains("MissingHook"))
    }

    /// The value of a default body that can't fail, `Ok(value)`: a loop takes it at once, without the hook's edge.
    pub(crate) fn constant_default(self) -> Option<Expr> {
        let body: syn::Block = parsed(self.declared.default?);
        let [Stmt::Expr(Expr::Call(call), None)] = body.stmts.as_slice() else { return None };
        let is_ok = matches!(call.func.as_ref(), Expr::Path(function) if function.path.is_ident("Ok"));
        call.args.first().filter(|value| is_ok && matches!(value, Expr::Tuple(_) | Expr::Path(_))).cloned()
    }
}

impl Parameter {
    pub(crate) fn ident(self) -> Ident {
        format_ident!("{}", self.name)
    }

    /// Its type as users write it: a context without its phase.
    pub(crate) fn written(self) -> &'static str {
        if self.phase().is_some() { CONTEXT } else { self.declared }
    }

    /// The phase of a context that is not that of a step, which is the default.
    pub(crate) fn phase(self) -> Option<&'static str> {
        self.declared.strip_prefix(CONTEXT)?.strip_prefix('<')?.strip_suffix('>')
    }
}

const CONTEXT: &str = "&mut Context";

/// A part of a declaration as syntax.
pub(crate) fn parsed<T: Parse>(text: &str) -> T {
    #[cfg(test)]
    tests::PARSED.set(tests::PARSED.get() + 1);
    syn::parse_str(text).unwrap_or_else(|error| panic!("the declaration `{text}` does not parse: {error}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand;
    use proc_macro2::TokenStream;
    use quote::ToTokens;
    use std::cell::Cell;
    use syn::{FnArg, ItemTrait, Pat, TraitItem, TraitItemFn};

    thread_local! {
        /// How many parts of declarations were parsed.
        pub(super) static PARSED: Cell<usize> = const { Cell::new(0) };
    }

    fn tokens(tokens: impl ToTokens) -> String {
        tokens.to_token_stream().to_string()
    }

    /// The methods as syn reads them.
    fn parsed_methods(source: &str) -> Vec<TraitItemFn> {
        let items = parsed::<ItemTrait>(source).items.into_iter();
        let method = |item| if let TraitItem::Fn(method) = item { Some(method) } else { None };
        items.filter_map(method).collect()
    }

    #[test]
    fn the_constants_say_what_the_traits_say() {
        for declared in DECLARED {
            let methods = parsed_methods(declared.source);
            assert_eq!(methods.len(), declared.methods.len(), "{}", declared.name);
            for (method, declaration) in methods.iter().zip(declared.methods) {
                let hook = Hook { declared: declaration, is_of_callback: false };
                assert_eq!(method.sig.ident, hook.name());
                let inputs: Vec<(String, String)> = method
                    .sig
                    .inputs
                    .iter()
                    .filter_map(|input| if let FnArg::Typed(typed) = input { Some(typed) } else { None })
                    .map(|typed| match typed.pat.as_ref() {
                        Pat::Ident(name) => (name.ident.to_string(), tokens(&typed.ty)),
                        other => panic!("{}", tokens(other)),
                    })
                    .collect();
                let parameters: Vec<(String, String)> = hook
                    .parameters()
                    .map(|parameter| (parameter.name.to_owned(), tokens(parsed::<Type>(parameter.declared))))
                    .collect();
                assert_eq!(inputs, parameters, "{}", hook.name());
                let output =
                    hook.output().map_or_else(String::new, |output| format!("-> {}", tokens(parsed::<Type>(output))));
                assert_eq!(tokens(&method.sig.output), output, "{}", hook.name());
                let value = hook.output().map(parsed::<Type>).as_ref().and_then(result_value).map(tokens);
                assert_eq!(hook.value().map(parsed::<Type>).map(tokens), value, "{}", hook.name());
                let lines: Vec<&str> = hook.documentation().collect();
                assert!(!lines.is_empty(), "{}", hook.name());
                assert_eq!(method.attrs.len(), lines.len() + usize::from(declaration.has_callbacks), "{}", hook.name());
            }
        }
    }

    /// Macros run unoptimized in users' builds, where parsing takes longest.
    #[test]
    fn an_ordinary_method_parses_no_declaration() {
        let parsed_with = |helpers: usize| {
            let hooks = include_str!("../../benches/every_hook.rs").trim_end().strip_suffix('}').unwrap();
            let helpers = "fn helper(&self, input: &Tensor) -> Tensor { input.relu() }\n".repeat(helpers);
            let block: TokenStream = format!("{hooks}{helpers}}}").parse().unwrap();
            PARSED.set(0);
            let written = expand::attribute(Role::Module, TokenStream::new(), block).to_string();
            assert!(!written.contains("compile_error"), "{written}");
            PARSED.get()
        };
        assert_eq!(parsed_with(100), parsed_with(0));
        let hooks = Role::Module.traits().flat_map(HookTrait::hooks).count();
        let parameters = Role::Module.traits().flat_map(HookTrait::methods).flat_map(Hook::parameters).count();
        assert!(parsed_with(0) <= hooks + parameters, "{}", parsed_with(0));
    }

    #[test]
    fn callbacks_have_the_module_and_do_not_answer() {
        let callback = HookTrait::named("Callback").unwrap();
        let hook = callback.methods().find(|hook| hook.name() == "on_train_batch_start").unwrap();
        let parameters: Vec<String> =
            hook.parameters().map(|parameter| format!("{}: {}", parameter.name, parameter.written())).collect();
        assert_eq!(parameters, ["ctx: &mut Context", "module: &mut M", "batch: &Self::Batch", "batch_idx: usize"]);
        assert_eq!(hook.output(), Some("Result<()>"));
        assert_eq!(hook.trait_name(), "Callback");
        let phases: Vec<_> = callback.hooks().map(|hook| hook.parameters().next().unwrap().phase()).collect();
        assert_eq!([phases[0], hook.parameters().next().unwrap().phase()], [Some("Outside"), None]);
    }
}
