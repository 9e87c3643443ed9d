//! Generates code of the runtime crate from the declarations: traits, tables, dispatch and the enumeration of hooks.

mod callbacks;
mod capabilities;
mod documentation;
mod enumeration;
mod lambda;
mod private;
mod python_names;
mod run;
pub(crate) mod steps;
mod table;
mod traits;

use crate::hooks::{Hook, HookTrait, Role};
use crate::types::of_module;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Type;

/// `declare_hooks!(Name)`.
pub(crate) fn declare(name: TokenStream) -> TokenStream {
    match name.to_string().as_str() {
        "Hook" => enumeration::hook(),
        "Run" => run::both(),
        "Private" => private::module(),
        "PythonNames" => python_names::methods(),
        "Capabilities" => capabilities::traits(),
        "StepOutputs" => steps::outputs(),
        "ModuleTable" => documentation::table(Role::Module),
        "DataModuleTable" => documentation::table(Role::DataModule),
        "CallbackTable" => documentation::table(Role::Callback),
        "LambdaCallback" => HookTrait::named("Callback").map(lambda::callback).unwrap_or_default(),
        "Callback" => match HookTrait::named("Callback") {
            Some(declared) => {
                let callback = traits::plain(declared);
                let dispatch = callbacks::dispatch(declared);
                quote!(#callback #dispatch)
            }
            None => TokenStream::new(),
        },
        other => match HookTrait::named(other) {
            Some(declared) if declared.hooks().next().is_none() => traits::plain(declared),
            Some(declared) => {
                let declared_trait = traits::with_table(declared);
                let table = table::table(declared);
                quote!(#declared_trait #table)
            }
            None => {
                let sentence = format!("no trait `{other}` is declared in macros/src/hooks");
                quote!(::core::compile_error!(#sentence);)
            }
        },
    }
}

/// The parameters of a hook with `M` for `Self`: their names, and `name: Type` for each.
fn parameters_of(hook: Hook, without: &[&str]) -> (Vec<Ident>, Vec<TokenStream>) {
    let parameters = hook.parameters().filter(|parameter| !without.contains(&parameter.name));
    parameters
        .map(|parameter| {
            let (name, ty) = (parameter.ident(), of_module(parameter.declared));
            (name.clone(), quote!(#name: #ty))
        })
        .unzip()
}

/// The value of a hook, with `M` for `Self`.
fn value_of(hook: Hook) -> Type {
    of_module(hook.value().unwrap_or("()"))
}
