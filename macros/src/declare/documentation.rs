//! The table of hooks in the documentation.

use crate::hooks::{Hook, HookTrait, Role};
use proc_macro2::TokenStream;
use quote::quote;
use std::fmt::Write;

/// Lightning's page of a module's hooks, each under an anchor of its name.
const MODULE_PAGE: &str = "https://lightning.ai/docs/pytorch/stable/common/lightning_module.html";
const DATA_MODULE_PAGE: &str = "https://lightning.ai/docs/pytorch/stable/data/datamodule.html";
const CALLBACK_PAGE: &str = "https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html";

/// The hooks of a role, as Markdown in a string literal.
pub(super) fn table(role: Role) -> TokenStream {
    let page = match role {
        Role::Module => MODULE_PAGE,
        Role::DataModule => DATA_MODULE_PAGE,
        Role::Callback => CALLBACK_PAGE,
    };
    let mut table = "\n\n# Its hooks\n".to_owned();
    for declared in role.traits().filter(|declared| declared.hooks().next().is_some()) {
        section(&mut table, declared, page);
    }
    quote!(#table)
}

fn section(table: &mut String, declared: HookTrait, page: &str) {
    let _ = write!(table, "\n[`{0}`](trait@crate::module::{0})\n\n| hook | |\n|---|---|\n", declared.name());
    for hook in declared.hooks() {
        let anchor = hook.name().replace('_', "-");
        let about = hook.about();
        let first = about.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(table, "| `{}` | {first} ([Lightning]({page}#{anchor})) |", signature(hook));
    }
}

/// `on_fit_start(ctx: &mut Context)`, as users may write it.
fn signature(hook: Hook) -> String {
    let parameters: Vec<String> =
        hook.parameters().map(|parameter| format!("{}: {}", parameter.name, parameter.written())).collect();
    let value = hook.value().filter(|value| *value != "()");
    let value = value.map(|value| format!(" -> {value}")).unwrap_or_default();
    format!("{}({}){value}", hook.name(), parameters.join(", ")).replace('|', "\\|")
}
