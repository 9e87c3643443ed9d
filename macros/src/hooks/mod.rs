//! The hooks, by their declarations.
//!
//! Each file in this folder is an ordinary trait with its documentation and default bodies, and the one place where those
//! hooks are declared. The runtime's traits, tables and dispatch ([`crate::declare`]) and the checks of users' blocks
//! ([`crate::check`]) are derived from it: to add a hook, write a method.
//!
//! The declarations are constants: `declarations!` takes the traits apart when this crate is compiled. Macros run
//! unoptimized in users' builds, where parsing the traits would take longer than the rest of an expansion.

use quote::format_ident;
use syn::parse::Parse;
use syn::{Attribute, Expr, GenericArgument, Ident, PathArguments, Stmt, Type};

#[macro_use]
mod declarations;

mod callback;
mod checkpoint_hooks;
mod data_hooks;
mod lightning_data_module;
mod lightning_module;
mod model_hooks;

#[cfg(test)]
pub(crate) mod added;
#[cfg(test)]
mod book;
#[cfg(test)]
mod tests;

pub(crate) use declarations::{Capability, Logs, Step};
use declarations::{Declaration, Fact, TraitDeclaration, logs};

const DECLARED: [&TraitDeclaration; 6] = [
    &model_hooks::DECLARED,
    &data_hooks::DECLARED,
    &checkpoint_hooks::DECLARED,
    &lightning_module::DECLARED,
    &lightning_data_module::DECLARED,
    &callback::DECLARED,
];

/// The declared traits.
#[cfg(not(test))]
fn declared() -> [&'static TraitDeclaration; DECLARED.len()] {
    DECLARED
}

#[cfg(test)]
use added::declared;

/// The kind of an annotated block.
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

    /// The traits that a block of this role implements.
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

/// Whether an attribute of a declaration states a fact that is generated from, and is not Rust's own.
pub(crate) fn is_fact(attribute: &Attribute) -> bool {
    Fact::ATTRIBUTES.iter().any(|name| attribute.path().is_ident(name))
}

/// The steps, in the order of their declaration.
pub(crate) fn steps() -> impl Iterator<Item = (Hook, Step)> {
    Role::Module.traits().flat_map(HookTrait::methods).filter_map(|hook| Some((hook, hook.step()?)))
}

impl HookTrait {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|one| one.name() == name)
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        declared().into_iter().map(|declared| Self { declared })
    }

    pub(crate) fn name(self) -> &'static str {
        self.declared.name
    }

    /// The source text of the trait, for [`crate::declare`].
    pub(crate) fn source(self) -> &'static str {
        self.declared.source
    }

    /// Its methods. Those of `Callback` include the moments that callbacks share with modules.
    pub(crate) fn methods(self) -> impl Iterator<Item = Hook> {
        let own = self.declared.methods.iter().map(|declared| Hook { declared, is_of_callback: false });
        own.chain(self.callback_hooks())
    }

    /// The hooks that are declared with the modules', under `#[callback]`: nothing for another trait than `Callback`.
    pub(crate) fn callback_hooks(self) -> impl Iterator<Item = Hook> {
        let owners = Role::Module.traits().filter(move |_| self.name() == "Callback");
        let hooks =
            owners.flat_map(|owner| owner.declared.methods).map(|declared| Hook { declared, is_of_callback: true });
        hooks.filter(|hook| hook.facts().any(|fact| matches!(fact, Fact::Callback)))
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
    /// Whether it is the callbacks' form of a module's hook: with `module` after `ctx`, and without a value.
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

    /// The lines of its documentation, without `///`.
    pub(crate) fn documentation(self) -> impl Iterator<Item = &'static str> {
        self.facts().filter_map(|fact| if let Fact::Documentation(line) = fact { Some(line) } else { None })
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

    /// The hook as users write it, with these generics and this module: `fn on_fit_end<M: LightningModule>(&mut self, …)`.
    pub(crate) fn form(self, generics: &str, module: &str) -> String {
        let parameters =
            self.parameters().map(|parameter| parameter.form().replace("&mut M", &format!("&mut {module}")));
        let receiver = if self.takes_self_mutably() { "&mut self" } else { "&self" };
        let inputs: Vec<String> = std::iter::once(receiver.to_owned()).chain(parameters).collect();
        format!("fn {}<{generics}>({})", self.name(), inputs.join(", "))
    }

    /// The parameters as a sentence has them: `` `ctx: &mut Context`, `batch: &…` and `batch_idx: usize` ``.
    pub(crate) fn parameter_list(self) -> String {
        let names: Vec<String> = self.parameters().map(|parameter| format!("`{}`", parameter.form())).collect();
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

    /// Whether the hook returns a value, other than that it did not fail.
    pub(crate) fn has_value(self) -> bool {
        self.value().is_some_and(|value| value != "()")
    }

    fn facts(self) -> impl Iterator<Item = Fact> {
        self.declared.facts.iter().copied()
    }

    /// What makes it a step; `None` for another hook. A step returns a type of the user's choice.
    pub(crate) fn step(self) -> Option<Step> {
        self.facts().find_map(|fact| if let Fact::Step(step) = fact { Some(step) } else { None })
    }

    pub(crate) fn is_step(self) -> bool {
        self.step().is_some()
    }

    /// Whether it returns a loader or several.
    pub(crate) fn is_dataloader(self) -> bool {
        self.value().is_some_and(|value| value.starts_with("DataLoader"))
    }

    /// What a module with this hook is capable of.
    pub(crate) fn capability(self) -> Option<Capability> {
        self.facts().find_map(|fact| if let Fact::Capability(capability) = fact { Some(capability) } else { None })
    }

    /// For a hook that only automatic optimization calls, what to do instead in manual optimization.
    pub(crate) fn instead_of_automatic(self) -> Option<&'static str> {
        self.facts().find_map(|fact| if let Fact::Automatic(instead) = fact { Some(instead) } else { None })
    }

    /// The hook whose older name it has.
    pub(crate) fn newer_name(self) -> Option<&'static str> {
        self.facts().find_map(|fact| if let Fact::OlderNameOf(newer) = fact { Some(newer) } else { None })
    }

    /// How it logs by default; `None` for a hook in which nothing can be logged.
    pub(crate) fn logs(self) -> Option<Logs> {
        self.declared.logs
    }

    /// Whether a step is running when it is called.
    pub(crate) fn is_of_step(self) -> bool {
        self.parameters().any(|parameter| parameter.phase() == Some("Step") || parameter.is_training_context())
    }

    pub(crate) fn has_default(self) -> bool {
        self.declared.default.is_some()
    }

    /// Whether it is an error to call the hook if it is not overridden.
    pub(crate) fn is_missing_by_default(self) -> bool {
        self.declared.default.is_some_and(|body| body.contains("MissingHook"))
    }

    /// The value of a default body that cannot fail, `Ok(value)`: a loop uses it directly, without a call of the hook.
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
        if self.phase().is_some() || self.is_training_context() { CONTEXT } else { self.declared }
    }

    /// The parameter as users write it. The types that the block decides are left open, as `&…`.
    fn form(self) -> String {
        let open = ["Batch", "TrainingOutput", "ValidationOutput", "TestOutput", "Prediction"];
        let ty = open.iter().fold(self.written().to_owned(), |ty, open| ty.replace(&format!("Self::{open}"), "…"));
        format!("{}: {ty}", self.name)
    }

    /// Whether it is the context through which manual optimization calls the callbacks.
    pub(crate) fn is_training_context(self) -> bool {
        self.declared == declarations::TRAINING_CONTEXT
    }

    /// Whether it is what this step returned.
    pub(crate) fn is_output_of(self, step: Step) -> bool {
        self.declared.strip_prefix("&Self::") == Some(step.output)
    }

    /// The phase of a context.
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

fn result_argument(ty: &Type, index: usize) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.iter().nth(index)? {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    }
}
