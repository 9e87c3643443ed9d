//! The tables of hooks in the book, as snapshots that its page of hooks includes.

use super::{Hook, HookTrait, Logs, Role};
use std::fmt::Write;

/// Lightning's page of a module's hooks, each under an anchor of its name.
const LIGHTNINGS: &str = "https://lightning.ai/docs/pytorch/stable/common/lightning_module.html";

#[test]
fn tables_of_hooks_in_the_book() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let hooks_of = |role: Role| role.traits().flat_map(HookTrait::hooks).filter(|hook| hook.newer_name().is_none());
    let module: Vec<Hook> = hooks_of(Role::Module).collect();
    let is_of_module = |hook: &Hook| module.iter().any(|other| other.name() == hook.name());
    let only_of = |role| hooks_of(role).filter(|hook| !is_of_module(hook));
    settings.bind(|| {
        insta::assert_snapshot!("hooks_of_modules", table(module.iter().copied()));
        insta::assert_snapshot!("hooks_of_data_modules", table(only_of(Role::DataModule)));
        insta::assert_snapshot!("hooks_of_callbacks", table(only_of(Role::Callback)));
    });
}

fn table(hooks: impl Iterator<Item = Hook>) -> String {
    let mut table = "| hook | | `ctx.log` logs |\n|---|---|---|\n".to_owned();
    for hook in hooks {
        let logs = match hook.logs() {
            Some(Logs::ByStep) => "the step",
            Some(Logs::ByEpoch) => "the epoch",
            None => "",
        };
        let _ = writeln!(table, "| {} | {} | {logs} |", form(hook), first_sentence(hook));
    }
    table
}

/// Returns the name, with a link to Lightning's hook if a module has it, and the names of the parameters.
fn form(hook: Hook) -> String {
    let parameters: Vec<&str> = hook.parameters().map(|parameter| parameter.name).collect();
    let form = format!("`{}({})`", hook.name(), parameters.join(", "));
    match hook.trait_name() {
        "Callback" | "LightningDataModule" => form,
        _ => format!("[{form}]({LIGHTNINGS}#{})", hook.name().replace('_', "-")),
    }
}

fn first_sentence(hook: Hook) -> String {
    let about = hook.about().replace('\n', " ").replace('|', "\\|");
    let sentence = about.split_once(". ").map_or(about.as_str(), |(first, _)| first);
    assert!(
        !sentence.contains("](crate"),
        "the book has no page for the link in the first sentence of `{}`",
        hook.name()
    );
    // links to items of the crate, which the book does not have
    format!("{}.", sentence.trim_end_matches('.').replace("[`", "`").replace("`]", "`"))
}
